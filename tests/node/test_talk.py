"""Messages inside an engagement: who writes, who reads, what travels, what is forgotten."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.domain.clock import FixedClock
from node.domain.errors import Conflict, DomainError, Invalid, NotAllowed
from node.engagements import diary
from node.store import notices
from node.store.notices import Notice
from node.store.promises import messages
from node.store.promises.engagements import Engagement
from tests.node.engagement_towns import DAY_MS, START_MS, TownHere, Two, found, two_towns

MINUTE_MS = 60_000


@pytest.fixture
def here(tmp_path: Path) -> Iterator[TownHere]:
    town = found(tmp_path, "Lorient", FixedClock(START_MS))
    yield town
    town.database.close()


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with two_towns(tmp_path) as made:
        yield made


def say(town: TownHere, row: Engagement, text: str, who: str = "asker", id_: bytes = b"") -> bool:
    member, key = town.member(who), id_ or secrets.token_bytes(8)
    with town.inside():
        return town.engine.talk.say(row.id, text, member_id=member, message_id=key)


def texts(town: TownHere, row: Engagement, who: str) -> list[tuple[bool, str]]:
    member = town.member(who)
    with town.inside():
        lines = town.engine.talk.lines(town.engine.find(row.id), member)
        return [(line.is_mine, line.text) for line in lines]


def told(town: TownHere, who: str) -> list[str]:
    with town.inside():
        return [each.kind for each in Notice.select().where(Notice.member == town.member(who))]


# ── here ─────────────────────────────────────────────────────────────────────────────────────────


def test_both_sides_write_and_read_in_order_of_time(here: TownHere) -> None:
    row = here.ask(here.publish())
    say(here, row, "Bonjour, samedi matin ?")
    here.clock.forward(minutes=1)
    say(here, row, "Oui, à l’atelier.", "keeper")
    assert texts(here, row, "asker") == [
        (True, "Bonjour, samedi matin ?"),
        (False, "Oui, à l’atelier."),
    ]
    assert [mine for mine, _ in texts(here, row, "keeper")] == [False, True]
    assert here.row(row).version == row.version and here.row(row).state == row.state


def test_the_clock_set_back_puts_no_message_before_an_earlier_one(here: TownHere) -> None:
    row = here.ask(here.publish())
    say(here, row, "une")
    here.clock.at_ms -= 3_600_000
    say(here, row, "deux")
    assert [text for _, text in texts(here, row, "keeper")] == ["une", "deux"]


def test_the_same_form_sent_twice_is_one_message(here: TownHere) -> None:
    row, form = here.ask(here.publish()), secrets.token_bytes(8)
    assert say(here, row, "Bonjour", id_=form) is True
    assert say(here, row, "Bonjour", id_=form) is False
    assert texts(here, row, "keeper") == [(False, "Bonjour")]


def test_a_stranger_neither_reads_nor_writes(here: TownHere) -> None:
    row = here.ask(here.publish())
    say(here, row, "Entre nous")
    assert texts(here, row, "curious") == []
    with pytest.raises(NotAllowed):
        say(here, row, "Et moi ?", "curious")


@pytest.mark.parametrize("text", ["", "  \n ", "\u200b\u2060", "\x00\x07", "\u202e\u202c"])
def test_an_empty_message_is_refused(here: TownHere, text: str) -> None:
    row = here.ask(here.publish())
    with pytest.raises(Invalid):
        say(here, row, text)


def test_a_message_of_five_thousand_characters_is_refused_with_a_sentence(here: TownHere) -> None:
    row = here.ask(here.publish())
    with pytest.raises(Invalid) as refused:
        say(here, row, "é" * 5_000)
    assert refused.value.params == {"max": 500}
    assert say(here, row, "é" * 500) is True


def test_a_side_writes_twenty_messages_and_four_kibibytes_at_most(here: TownHere) -> None:
    row = here.ask(here.publish())
    written = 0
    for number in range(1_000):
        try:
            written += say(here, row, f"Message {number}")
        except Conflict as refused:
            assert refused.code == "talk_full"
    assert written == 20
    for _ in range(4):
        say(here, row, "é" * 500, "keeper")
    with pytest.raises(Conflict):
        say(here, row, "é" * 100, "keeper")


def test_control_and_bidi_characters_do_not_stay(here: TownHere) -> None:
    row = here.ask(here.publish())
    say(here, row, "a\u202egnp.exe\x1b[31m\x00\r\nb<script>")
    assert texts(here, row, "keeper") == [(False, "agnp.exe[31m\nb<script>")]


def test_nobody_writes_once_it_is_over(here: TownHere) -> None:
    row = here.ask(here.publish())
    here.withdraw_ask(row)
    with pytest.raises(Conflict):
        say(here, row, "Au fait")


def test_messages_within_ten_minutes_are_told_of_once(here: TownHere) -> None:
    row = here.ask(here.publish())
    for number in range(5):
        say(here, row, f"{number}")
        here.clock.forward(minutes=1)
    assert told(here, "keeper").count("engagement_message") == 1
    with here.inside():
        soon = [each for each in notices.due(here.clock.now_ms()) if "message" in each.kind]
        assert soon == []
    here.clock.forward(minutes=10)
    with here.inside():
        (due,) = [each for each in notices.due(here.clock.now_ms()) if "message" in each.kind]
        notices.sent(due, here.clock.now_ms())
    say(here, row, "Encore")
    assert told(here, "keeper").count("engagement_message") == 2


def test_what_was_seen_is_no_longer_new(here: TownHere) -> None:
    row = here.ask(here.publish())
    say(here, row, "Bonjour")
    keeper, admin = here.member("keeper"), here.member("desk", "admin")
    with here.inside():
        talk = here.engine.talk
        assert talk.unread([row], "keeper") == {row.id: 1} and talk.unread([row], "asker") == {}
        assert talk.read(row, admin) == 0  # the desk looks in, the keeper has still not seen it
        assert talk.read(row, keeper) == 1 and talk.read(row, keeper) == 0
        assert talk.unread([row], "keeper") == {}


# ── between two towns ────────────────────────────────────────────────────────────────────────────


def test_messages_travel_both_ways_and_move_nothing(two: Two) -> None:
    row = two.asked()
    before = two.home.row(row).version
    say(two.away, row, "Bonjour de Quimper")
    say(two.home, row, "Bonjour de Lorient", "keeper")
    two.exchange()
    assert texts(two.home, row, "keeper") == [
        (False, "Bonjour de Quimper"),
        (True, "Bonjour de Lorient"),
    ] or texts(two.home, row, "keeper")[0] == (True, "Bonjour de Lorient")
    assert {text for _, text in texts(two.away, row, "asker")} == {
        "Bonjour de Quimper",
        "Bonjour de Lorient",
    }
    assert two.home.row(row).version == before == two.away.row(row).version
    assert told(two.home, "keeper").count("engagement_message") == 1
    assert told(two.away, "asker").count("engagement_message") == 1


def test_a_message_goes_with_the_request_before_home_heard_of_it(two: Two) -> None:
    listing = two.home.publish()
    two.exchange()
    row = two.away.ask(listing)
    say(two.away, row, "Je peux venir tôt")
    two.exchange()
    assert texts(two.home, row, "keeper") == [(False, "Je peux venir tôt")]


def test_a_message_while_an_act_is_under_way_makes_it_no_less_good(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    two.exchange()
    two.away.withdraw_ask(row)
    say(two.home, row, "À samedi", "keeper")
    say(two.away, row, "Désolée, un empêchement")
    two.exchange()
    assert two.both(row) == ("cancelled", "cancelled")
    assert len(texts(two.home, row, "keeper")) == 2 == len(texts(two.away, row, "asker"))


def test_a_message_comes_once_however_often_it_is_carried(two: Two) -> None:
    row = two.asked()
    say(two.away, row, "Bonjour")
    two.exchange()
    old = two.away.raws()
    say(two.away, row, "Re-bonjour")
    two.exchange()
    for raws in (old, two.away.raws(), old):
        two.home.hear(raws, two.away)
    assert [text for _, text in texts(two.home, row, "keeper")] == ["Bonjour", "Re-bonjour"]
    assert told(two.home, "keeper").count("engagement_message") == 1


def test_what_was_written_before_the_end_was_known_still_arrives(two: Two) -> None:
    row = two.asked()
    say(two.away, row, "Toujours d’accord ?")
    two.home.act(row, "decline")
    two.exchange()
    assert texts(two.home, row, "keeper") == [(False, "Toujours d’accord ?")]
    for town, who in ((two.home, "keeper"), (two.away, "asker")):
        with pytest.raises(DomainError):
            say(town, row, "Trop tard", who)


def test_sixty_days_after_the_end_nothing_written_is_left_anywhere(two: Two) -> None:
    row = two.asked()
    say(two.away, row, "Bonjour")
    say(two.home, row, "Bonsoir", "keeper")
    two.home.act(row, "decline")
    two.exchange()
    two.clock.forward(days=59)
    two.home.sweep(), two.away.sweep()
    assert len(texts(two.home, row, "keeper")) == 2
    two.clock.forward(days=2)
    two.home.sweep(), two.away.sweep()
    two.exchange()
    for town in (two.home, two.away):
        with town.inside():
            assert messages.of_engagement(row.id) == []


def test_an_erased_person_is_in_no_message_of_either_town(two: Two) -> None:
    row = two.asked()
    say(two.away, row, "CANARY je suis Nolwenn")
    say(two.home, row, "CANARY bonjour Nolwenn", "keeper")
    two.exchange()
    with two.away.inside():
        two.away.engine.forget(two.away.members["asker"])
    two.exchange()
    for town in (two.home, two.away):
        with town.inside():
            assert messages.of_engagement(row.id) == []


def test_an_erased_keeper_takes_their_messages_with_them(two: Two) -> None:
    row = two.asked()
    say(two.home, row, "CANARY", "keeper")
    two.home.act(row, "decline")
    two.exchange()
    with two.home.inside():
        two.home.engine.forget(two.home.members["keeper"])
    two.exchange()
    assert texts(two.away, row, "asker") == []


def test_a_partner_that_dates_a_message_in_the_year_9999_does_not_have_the_last_word(
    two: Two,
) -> None:
    row = two.asked()
    with two.away.inside():
        messages.add(row.id, "asker", b"12345678", at_ms=253_000_000_000_000, text="moi")
    two.clock.forward(minutes=1)
    say(two.away, row, "et encore")
    two.exchange()
    with two.home.inside():
        assert all(each.at_ms <= two.clock.now_ms() + 20 for each in messages.of_engagement(row.id))


def test_a_restored_home_keeps_what_was_written_since_the_backup(tmp_path: Path) -> None:
    """From its own logbook: the line of an engagement tells its messages too."""
    with two_towns(tmp_path) as two:
        row = two.asked()
        say(two.home, row, "Note du responsable", "keeper")
        with two.home.inside():
            line = diary.told(two.home.engine.find(row.id))
        assert [each["text"] for each in line["messages"]] == ["Note du responsable"]


def test_after_the_end_plus_sixty_days_a_late_message_is_not_kept(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "decline")
    say(two.away, row, "Je n’ai rien entendu")
    two.clock.at_ms += 61 * DAY_MS
    two.exchange()
    assert texts(two.home, row, "keeper") == []


def test_what_nobody_keeps_is_answered_by_the_desk(here: TownHere) -> None:
    desk = here.member("desk", "moderator")
    row = here.ask(here.publish(None))
    say(here, row, "Il y a quelqu’un ?")
    assert told(here, "desk").count("engagement_message") == 1
    with here.inside():
        assert here.engine.talk.read(here.engine.find(row.id), desk) == 1
    assert say(here, row, "Oui, l’accueil", "desk") is True
    assert told(here, "asker").count("engagement_message") == 1
