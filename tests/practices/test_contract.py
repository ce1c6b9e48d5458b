"""Every practice of the registry keeps the contract; whatever is missing is named."""

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import pytest

from node.domain.lifecycle import Deadline, Lifecycle
from node.domain.practice import Practice, Registry
from node.domain.schema import Field, Schema
from node.practices.lending.lifecycle import LOAN
from node.practices.lending.practice import PRACTICE as LENDING
from node.practices.registry import PRACTICES
from tests.practices.contract import RULES, Rule, folder_of


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("practice", PRACTICES, ids=lambda practice: practice.name)
def test_a_practice_keeps_the_contract(practice: Practice, rule: Rule) -> None:
    missing = list(rule(practice, folder_of(practice)))
    assert not missing, f"{len(missing)} things are missing:\n" + "\n".join(missing[:40])


def test_no_two_practices_share_a_name_a_rubric_or_a_kind() -> None:
    assert len(Registry(PRACTICES).by_name) == len(PRACTICES)
    with pytest.raises(ValueError):
        Registry((*PRACTICES, LENDING))


def test_every_folder_of_a_practice_is_in_the_registry() -> None:
    root = folder_of(LENDING).parent
    folders = {each.name for each in root.iterdir() if (each / "practice.py").is_file()}
    assert folders == {each.name for each in PRACTICES}


def named(practice: Practice, folder: Path) -> str:
    """Return everything the contract says is missing."""
    return "\n".join(each for rule in RULES for each in rule(practice, folder))


def without(**fields: Any) -> Practice:
    """Return lending with something wrong."""
    return dataclasses.replace(LENDING, **fields)


def loan(**fields: Any) -> Practice:
    """Return lending with a loan whose start state is wrong."""
    states = [
        dataclasses.replace(each, **fields) if each.name == LOAN.start else each
        for each in LOAN.states.values()
    ]
    ways = [each for each in LOAN.transitions if each.action not in ("withdraw", "revoke")]
    wrong = Lifecycle(
        "loan", start=LOAN.start, waiting=LOAN.waiting, states=states, transitions=ways
    )
    assert LENDING.engaging is not None
    lifecycles = {**LENDING.engaging.lifecycles, "loan": wrong}
    return without(engaging=dataclasses.replace(LENDING.engaging, lifecycles=lifecycles))


def engaging(**fields: Any) -> Practice:
    """Return lending with a wrong rule."""
    assert LENDING.engaging is not None
    return without(engaging=dataclasses.replace(LENDING.engaging, **fields))


SCHEMA = LENDING.schema
PLANTED = {
    "has no symbol anchor": without(icon="anchor"),
    "small letters only": without(rubric="Objets à prêter"),
    "begins with lending.": without(schema=Schema("loans/1", SCHEMA.struct, SCHEMA.fields)),
    "does not say 'Things to burrow'": without(label="Things to burrow"),
    "no verb to publish with": without(verbs=()),
    "is not declared": without(verbs=(("louer", "Lend"),)),
    "is not in the body": without(
        schema=Schema(SCHEMA.kind, SCHEMA.struct, (Field("colour", "text", "Colour"),))
    ),
    "of the unknown kind colour": without(
        schema=Schema(SCHEMA.kind, SCHEMA.struct, (Field("text", "colour", "Text"),))
    ),
    "both words": without(facets=lambda body: (("copies", body.copies),)),
    "waits for the unknown moment moon": loan(deadline=Deadline(days=1, before="moon")),
    "does not say 'Wanted' (state requested": loan(label="Wanted"),
    "the effect of explode never happens": engaging(effects={"explode": lambda body, terms: body}),
    "the material field colour": engaging(material=("colour",)),
    "do not keep": engaging(terms=lambda body, form, today: {"units": 1, "days": (1, 2)}),
    "does not fit": engaging(copies=lambda body: 0),
    "no listing that follows": engaging(which=lambda body: "loan"),
    "answer yes or no": engaging(auto=lambda body: "perhaps"),
}


@pytest.mark.parametrize("sentence", PLANTED)
def test_what_is_wrong_with_a_practice_is_named(sentence: str) -> None:
    assert sentence in named(PLANTED[sentence], folder_of(LENDING))


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("icon.svg", "icon.svg is missing"),
        ("demo.json", "demo.json has 0 listings"),
        ("templates/lending/ask.html", "lending/ask.html is missing"),
        ("templates/lending/card.html", "lending/card.html is missing"),
        ("locale/br.po", "br.po does not say 'Things to borrow'"),
        ("locale/fr.po", "fr.po does not say 'I handed it over' (action hand_over"),
        ("__init__.py", "says in a clerk's words"),
    ],
)
def test_a_missing_file_is_named(tmp_path: Path, file: str, sentence: str) -> None:
    copy = tmp_path / "lending"
    shutil.copytree(folder_of(LENDING), copy)
    (copy / file).unlink()
    assert sentence in named(LENDING, copy)
