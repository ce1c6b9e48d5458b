"""Every practice of the registry keeps the contract; whatever is missing is named."""

import dataclasses
import secrets
import shutil
from pathlib import Path
from typing import Any

import pytest

from node.domain.capacity import midnight_ms
from node.domain.lifecycle import Deadline, Lifecycle
from node.domain.practice import Amount, Practice, Registry, Stock
from node.domain.schema import Field, Schema
from node.domain.standing import Hindrance
from node.practices.lending.lifecycle import LOAN
from node.practices.lending.practice import PRACTICE as LENDING
from node.practices.registry import PRACTICES
from node.practices.spaces.lifecycle import BOOKING
from node.practices.spaces.practice import PRACTICE as SPACES
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


def booking(name: str, **fields: Any) -> Practice:
    """Return spaces with one state of its plain table being another."""
    states = [
        dataclasses.replace(each, **fields) if each.name == name else each
        for each in BOOKING.states.values()
    ]
    wrong = Lifecycle(
        "booking", start=BOOKING.start, refuses_to=BOOKING.refuses_to, waiting=BOOKING.waiting,
        holding=BOOKING.holding, states=states, transitions=BOOKING.written,
    )  # fmt: skip
    assert SPACES.engaging is not None
    lifecycles = {**SPACES.engaging.lifecycles, "booking": wrong}
    return dataclasses.replace(
        SPACES, engaging=dataclasses.replace(SPACES.engaging, lifecycles=lifecycles)
    )


def space(**fields: Any) -> Practice:
    """Return spaces with a wrong rule."""
    assert SPACES.engaging is not None
    return dataclasses.replace(SPACES, engaging=dataclasses.replace(SPACES.engaging, **fields))


def unsaid(body: Any, terms: Any, standing: Any) -> Hindrance:
    """A guard whose code no other town could say."""
    return Hindrance("moon", "The moon is %(phase)s.", verdict="ok")


GUARDS = SPACES.engaging.guards if SPACES.engaging else {}
OTHERS = {
    "the guard of fly is never asked": space(guards={**GUARDS, "fly": unsaid}),
    "the guard of withdraw is never asked: everybody": space(guards={**GUARDS, "withdraw": unsaid}),
    "hold opens without the guard": space(guards={"ask": unsaid, "queue": unsaid}),
    "moon (guard of book) is not in `reasons`": space(guards={**GUARDS, "book": unsaid}),
    "is told as ok, which is no refusal": space(guards={**GUARDS, "book": unsaid}),
    "lacks a value of 'The moon is": space(guards={**GUARDS, "book": unsaid}),
    "renew amends in the table or in `amends`": space(amends={"renew": lambda *given: {}}),
    "the guard of book answers differently": space(
        guards={**GUARDS, "book": lambda *given: Hindrance(secrets.token_hex(4), "Moved")}
    ),
    "is `instant` set?": space(instant=midnight_ms),
    "it takes place from": space(span=lambda terms, zone: (5, 5, False)),
    "is no whole number of milliseconds": space(
        moments=lambda terms, zone: {"start": 0.5, "end": 1, "keys": 2}
    ),
    "is no Claim, Stock": space(claim=lambda terms: 5),
    "is not in the stock": space(claim=lambda terms: Stock({"bread": 1})),
    "the amount 0 does not fit": space(claim=lambda terms: Amount(0)),
    "waits in line for what is never scarce": space(claim=lambda terms: None),
    "does not say 'Too big' (reason big": space(reasons={"big": "Too big"}),
    "held holds more than an hour": booking("held", deadline=Deadline(days=1)),
    "requested reminds 99 h before a shorter deadline": booking("requested", remind_hours=99),
    "offered reminds 24 h before": booking("offered", remind_hours=(24, 1)),
    "a rule fails on its own terms": space(copies=lambda body: body.moons),
}


@pytest.mark.parametrize("sentence", OTHERS)
def test_what_is_wrong_with_the_rules_of_spaces_is_named(sentence: str) -> None:
    assert sentence in named(OTHERS[sentence], folder_of(SPACES))


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
