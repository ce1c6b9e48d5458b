"""The mails: a real town's notices, in the reader's language, true at the moment they leave."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from node.domain.clock import FixedClock
from node.members import accounts, codes
from node.notices import Sender, post_of, queue_code
from node.pages import mailing
from node.pages.language import Catalogues, locale_folders
from node.store import notices
from node.store.people import members
from node.store.people.login_codes import LoginCode
from tests.node.engagement_towns import START_MS, TownHere, found

NODE = Path(__file__).parents[2] / "node"
MAIL = "mona@example.org"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[TownHere]:
    yield found(tmp_path, "Lorient", FixedClock(START_MS))


@pytest.fixture
def town(here: TownHere, tmp_path: Path) -> Iterator[Any]:
    config = SimpleNamespace(
        name="Lorient", manager="Les Mains du Loch", language="fr", mails_per_hour=100,
        admission="open", url="https://lorient.example",
        smtp_host="", mail=tmp_path / "mail", mail_from="",
    )  # fmt: skip
    catalogues = Catalogues(locale_folders(NODE))
    with here.inside():
        yield SimpleNamespace(
            config=config, clock=here.clock, keyring=here.keyring, engagements=here.engine,
            catalogues=catalogues,
        )  # fmt: skip


def letters(town: Any) -> list[Any]:
    """Write what is due, as the sender would."""
    writers = mailing.writers(town)
    return [writers[each.kind](each) for each in notices.due(town.clock.now_ms())]


def test_a_mailed_code_lets_in_and_exists_only_once_it_is_written(town: Any) -> None:
    queue_code(MAIL, "br", START_MS)
    assert LoginCode.select().count() == 0
    (letter,) = letters(town)
    code = letter.subject[:9]
    assert letter.to == MAIL and code in letter.body and letter.language == "br"
    assert "https://lorient.example/compte" in letter.body
    tried = codes.attempt(
        code, MAIL, address="192.0.2.1", secret=town.keyring.secret, now_ms=START_MS
    )
    assert codes.redeem(tried).email == MAIL


def test_known_and_unknown_addresses_get_the_same_letter(town: Any) -> None:
    accounts.create("Anna", "anna@example.org", now_ms=START_MS)
    for address in ("anna@example.org", MAIL):
        queue_code(address, "fr", START_MS)
    one, two = letters(town)
    assert one.body.replace(one.subject[:9], "") == two.body.replace(two.subject[:9], "")


def test_no_code_for_the_suspended(town: Any) -> None:
    member = accounts.create("Anna", "anna@example.org", now_ms=START_MS)
    accounts.suspend(member.id, by=None, now_ms=START_MS)
    queue_code("anna@example.org", "fr", START_MS)
    assert letters(town) == [None] and LoginCode.select().count() == 0


def test_a_request_is_told_to_the_keeper_and_its_answer_to_the_asker(
    here: TownHere, town: Any
) -> None:
    row = here.ask(here.publish(), "asker")
    members.change(here.member("keeper"), language="en")
    (asked,) = letters(town)
    assert (asked.to, asked.language) == ("keeper@example.org", "en")
    assert asked.subject == "A request for “Remorque à vélo”"
    assert f"https://lorient.example/demandes/{row.id.hex()}" in asked.body
    assert "%" not in asked.body and "Les Mains du Loch" in asked.body
    here.act(row, "approve")
    moot, answer = letters(town)
    assert moot is None  # it was answered before the mail left
    assert (answer.to, answer.language) == ("asker@example.org", "fr")
    assert "Remorque à vélo" in answer.subject


def test_who_has_no_address_or_left_is_not_written_to(here: TownHere, town: Any) -> None:
    here.ask(here.publish(), "asker")
    members.change(here.member("keeper"), status="suspended")
    assert letters(town) == [None]
    members.change(here.member("keeper"), status="active", email=None)
    assert letters(town) == [None]


def test_the_sender_of_a_town_writes_all_its_kinds(here: TownHere, town: Any) -> None:
    here.ask(here.publish(), "asker")
    queue_code(MAIL, "fr", START_MS)
    sender = Sender(post_of(town.config), mailing.writers(town), town.clock)
    assert sender.send_due() == 2
    assert len(list(town.config.mail.glob("*.eml"))) == 2
