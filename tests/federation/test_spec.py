"""SPEC.md keeps step with the code: its codes and limits are written from it.

To write them again: .venv/bin/python -m tests.federation.test_spec
"""

import ast
from pathlib import Path

import pytest

import federation
from federation import (
    admission,
    boot,
    bundle,
    checkpoint,
    codec,
    frames,
    keyset,
    limits,
    lookup,
    receipt,
    record,
    stamp,
    store,
    stream,
    words,
)
from federation.errors import CODES, LocalProtocolError, RemoteProtocolError

FOLDER = Path(limits.__file__).parent
SPEC = FOLDER / "SPEC.md"
BEGIN, END = "<!-- {}: written by a test -->", "<!-- end of {} -->"
MODULES = (
    codec,
    keyset,
    record,
    stamp,
    words,
    checkpoint,
    admission,
    store,
    limits,
    stream,
    frames,
    bundle,
    receipt,
    boot,
    lookup,
)
UNITS = ("_BYTES", "_DAYS", "_MS", "_PER_DAY", "_MAX", "_IDS", "_RECORDS", "_DEPTH", "_WORDS")
NO_LIMITS = ("DAY_MS", "SECOND_MS", "INTEGER_MAX")


def codes_table() -> str:
    """Return the table of section 14."""
    rows = [f"| `{code}` | {sentence} |" for code, sentence in CODES.items()]
    return "\n".join(["| code | meaning |", "| --- | --- |", *rows])


def limits_table() -> str:
    """Return the table of section 15: every constant whose name ends in its unit."""
    rows = [
        f"| `{module.__name__.rpartition('.')[2]}.{name}` | {value:,} |"
        for module in MODULES
        for name, value in vars(module).items()
        if type(value) is int and name.endswith(UNITS) and name not in NO_LIMITS
        if name in own_names(module)
    ]
    return "\n".join(["| limit, its unit in its name | |", "| --- | --- |", *rows])


def own_names(module) -> set[str]:
    """The constants a module itself assigns, leaving out what it imports."""
    tree = ast.parse(Path(module.__file__).read_text("utf-8"))
    targets = (node.target for node in tree.body if isinstance(node, ast.AnnAssign))
    return {target.id for target in targets if isinstance(target, ast.Name)} - {"_"}


TABLES = {"codes": codes_table, "limits": limits_table}


def written(name: str) -> str:
    """What stands between the marks of a table."""
    text = SPEC.read_text("utf-8")
    return text.split(BEGIN.format(name))[1].split(END.format(name))[0].strip()


@pytest.mark.parametrize("name", TABLES)
def test_the_tables_are_those_of_the_code(name):
    assert written(name) == TABLES[name](), __doc__


def raised_codes() -> dict[str, str]:
    """Every code that stands first in a call of an error, and where."""
    found = {}
    for path in sorted(FOLDER.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            is_error = name.endswith("ProtocolError") or name in {"fault", "course.end"}
            if is_error and node.args and isinstance(node.args[0], ast.Constant):
                found[node.args[0].value] = f"{path.name}:{node.lineno}"
    return found


def test_every_code_that_is_raised_stands_in_the_table():
    unknown = {code: place for code, place in raised_codes().items() if code not in CODES}
    assert unknown == {}
    assert len(raised_codes()) > 20


def test_every_code_of_the_table_is_used():
    root = FOLDER.parent
    paths = [path for part in ("federation", "node") for path in (root / part).rglob("*.py")]
    text = "".join(path.read_text("utf-8") for path in paths if path != FOLDER / "errors.py")
    assert [code for code in CODES if f'"{code}"' not in text] == []


def test_a_code_is_a_short_word_and_its_meaning_a_sentence():
    for code, sentence in CODES.items():
        assert code.replace("_", "").isalpha() and code.islower()
        assert sentence[0].isupper() and sentence.endswith(".")


def test_an_error_says_its_code_its_meaning_and_where():
    error = RemoteProtocolError("bad_kind", "reserved", 409)
    assert (error.code, error.detail, error.status_hint) == ("bad_kind", "reserved", 409)
    assert str(error).startswith("bad_kind: The kind is not") and str(error).endswith("reserved")
    assert RemoteProtocolError("bad_kind").status_hint == 400
    assert not isinstance(error, LocalProtocolError)


def test_the_public_face_shows_what_it_lists_and_its_seven_lines_run():
    assert sorted(federation.__all__, key=lambda n: (not n.isupper(), n[0].islower(), n)) == (
        federation.__all__
    )
    seed, key, now_s = bytes(range(32)), federation.SigningKey.generate(), 1_780_000_000
    first = federation.genesis(seed, key.public, now_s)
    assert federation.from_words(federation.to_words(seed)) == seed
    at = federation.next_stamp(now_s * 1000, 0)
    draft = federation.Draft(
        origin=first.town,
        keyset=first.number,
        key=federation.new_key(),
        stamp=at,
        expires=federation.live_until(at),
        scope=federation.SCOPE_PUBLIC,
        kind="lending.item/1",
        body=codec.dumps({"title": "remorque"}),
    )
    made = federation.sign(draft, key)
    kept = federation.MemoryStore(first.town)
    assert federation.admit_keyset(first.raw, kept) == "stored"
    (verdict,) = federation.admit([made.raw], kept, now_s * 1000)
    assert verdict == (made.id, "stored", None)


def rewrite() -> None:
    """Write the tables into SPEC.md."""
    text = SPEC.read_text("utf-8")
    for name, table in TABLES.items():
        begin, end = BEGIN.format(name), END.format(name)
        head, tail = text.split(begin)[0], text.split(end)[1]
        text = f"{head}{begin}\n{table()}\n{end}{tail}"
    SPEC.write_text(text, "utf-8")


if __name__ == "__main__":
    rewrite()
