"""Reports between towns: what crosses, sealed and nameless; what a hostile partner may not do."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from federation.errors import RemoteProtocolError
from federation.record import parse
from node.members import told
from node.partners import removal, report_form
from node.partners import reports as between
from node.partners.report_form import Answer, Said
from node.store.catalogue import listings
from node.store.network import partners, refusals
from node.store.people import desk_words, reports
from node.store.sets import records
from tests.node.pages.acting import answer, ask, publish, shown, there
from tests.node.pages.conftest import Pair
from tests.world import World

TITLE = "Remorque"


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """Lorient with a trailer of Roue libre, Quimper with its residents."""
    world = World(tmp_path)
    lorient, quimper = world.found("Lorient"), world.found("Quimper")
    world.pair("Lorient", "Quimper")
    people = {
        "Nolwenn": quimper.member("Nolwenn", "nolwenn@example.org"),
        "Yann": quimper.member("Yann", "yann@example.org"),
        "Maïwenn": quimper.member("Maïwenn", "maiwenn@example.org", ("admin",)),
        "Roue libre": lorient.member("Roue libre", "roue@example.org"),
        "Anne": lorient.member("Anne", "anne@example.org", ("admin",)),
    }
    made = Pair(world, people)
    publish(made, "Roue libre", "Lorient", TITLE)
    world.sync()
    yield made
    world.close()


def report(pair: Pair, who: str, text: str = "Les freins ne tiennent pas.") -> None:
    sent = pair.visitor(who).send(
        f"{there(pair, TITLE)}/signaler", reason="danger", text=text if who else ""
    )
    assert sent.status_code == 303


def case(pair: Pair) -> str:
    return f"/admin/signalements/{shown(pair, 'Lorient', TITLE).code}"


def at_lorient(pair: Pair) -> list[Any]:
    with pair.lorient.inside() as town:
        return reports.of_listing(town.id, shown(pair, "Lorient", TITLE).key)


def reported(pair: Pair, said: Any, key: bytes | None = None) -> None:
    """Let Quimper's node say to Lorient whatever a hostile one would."""
    with pair.quimper.inside() as town:
        home = pair.lorient.town.id
        register = key or report_form.report_key(town.id, home, said.get(6, b""))
        town.journal.publish_sealed(report_form.KIND, said, to=home, key=register)
    pair.world.sync(1)


def test_a_report_is_shown_at_the_other_desk_with_the_towns_name_and_no_residents(
    pair: Pair,
) -> None:
    report(pair, "Nolwenn")
    report(pair, "")
    pair.world.sync()
    anne = pair.visitor("Anne", "Lorient")
    page = anne.read(case(pair))
    assert "Quimper" in page.text and "Les freins ne tiennent pas." in page.text
    assert "Nolwenn" not in page.text and "2 personnes" in page.text
    (row,) = at_lorient(pair)
    assert row.member is None and row.town == pair.quimper.town.id and row.count == 2
    with pair.quimper.inside() as town:
        key = report_form.report_key(town.id, pair.lorient.town.id, row.key)
        inner = town.journal.open_sealed(parse(records.find(town.id, key).raw))
        assert "Nolwenn" not in repr(inner) and set(inner) <= {0, 1, 2, 3, 4, 5, 6, 7, 8}


def test_the_answer_of_home_reaches_who_reported_and_only_once(pair: Pair) -> None:
    report(pair, "Nolwenn")
    pair.world.sync()
    sent = pair.visitor("Anne", "Lorient").send(case(pair), measure="warn", reason="Réparée hier.")
    assert sent.status_code == 303
    pair.world.sync(3)
    with pair.quimper.inside() as town:
        (word,) = desk_words.of_member(pair.people["Nolwenn"].id)
        assert (word.kind, word.text) == ("report_elsewhere", "Réparée hier.")
        key = report_form.answer_key(pair.lorient.town.id, town.id, word.key)
        record = parse(records.find(pair.lorient.town.id, key).raw)
        inner = town.journal.open_sealed(record)
        between.hear(town.journal, record, inner, told.tell)  # a second time
        assert len(desk_words.of_member(pair.people["Nolwenn"].id)) == 1
    assert "Réparée hier." in pair.visitor("Nolwenn").read("/compte/signalements").text


def test_twice_the_same_is_one_report_and_an_answered_one_does_not_come_back(pair: Pair) -> None:
    report(pair, "Nolwenn")
    pair.world.sync()
    (row,) = at_lorient(pair)
    pair.visitor("Anne", "Lorient").send(case(pair), measure="reject", reason="En ordre.")
    said = {1: b"", 4: 0, 5: 0, 6: row.key, 7: [["danger", 9]], 8: []}
    said[1] = report_form.report_key(pair.quimper.town.id, pair.lorient.town.id, row.key)
    reported(pair, said)
    reported(pair, {**said, 7: [["advert", 90]]})
    assert [each.state for each in at_lorient(pair)] == ["rejected"]
    keeper = pair.visitor("Roue libre", "Lorient")
    keeper.send(f"{there(pair, TITLE, 'Lorient')}/modifier", text="x")
    reported(pair, said)
    assert [each.state for each in at_lorient(pair)] == ["open"]
    reported(pair, {**said, 7: []})
    assert at_lorient(pair) == []


def test_taking_reports_back_here_takes_them_back_there(pair: Pair) -> None:
    report(pair, "Nolwenn")
    pair.world.sync()
    page = f"/admin/signalements/{shown(pair, 'Quimper', TITLE).code}"
    pair.visitor("Maïwenn").send(page, measure="reject", reason="Rien vu.")
    pair.world.sync()
    assert at_lorient(pair) == []


def forms(listing: bytes) -> Iterator[dict[int, Any]]:
    """Yield what no honest town says."""
    good = {4: 0, 5: 0, 6: listing, 7: [["danger", 1]], 8: ["x"]}
    for number, wrong in (
        (6, b""), (6, "x" * 16), (6, None), (7, None), (7, {}), (7, [["danger", 0]]),
        (7, [["danger", -1]]), (7, [["danger", 10**9]]), (7, [["danger", True]]),
        (7, [["danger"]]), (7, [["danger", 1], ["danger", 2]]), (7, [[b"danger", 1]]),
        (7, [["<b>", 1]]), (7, [["x" * 17, 1]]), (7, [[f"r{n}", 1] for n in range(17)]),
        (8, None), (8, ["x" * 501]), (8, [""]), (8, ["x"] * 6), (8, [b"x"]),
    ):  # fmt: skip
        yield {**good, number: wrong}


def test_a_hostile_report_is_refused_by_its_form_and_stores_nothing(pair: Pair) -> None:
    listing = shown(pair, "Lorient", TITLE).key
    lorient, quimper = pair.lorient.town.id, pair.quimper.town.id
    for said in forms(listing):
        given = said[6] if isinstance(said[6], bytes) else b""
        key = report_form.report_key(quimper, lorient, given)
        with pytest.raises(RemoteProtocolError, match="bad_inner"):
            report_form.read({**said, 1: key}, quimper, lorient, key)
    good = Said(listing, (("danger", 1),), ("x",))
    key = report_form.report_key(quimper, lorient, listing)
    inner = report_form.said_inner(key, 0, good)
    assert report_form.read(inner, quimper, lorient, key) == good
    for other in (secrets.token_bytes(16), report_form.report_key(lorient, quimper, listing)):
        with pytest.raises(RemoteProtocolError, match="bad_inner"):
            report_form.read({**inner, 1: other}, quimper, lorient, other)
    answered = report_form.answer_key(quimper, lorient, listing)
    told_there = report_form.answer_inner(answered, 0, Answer(listing, "acted", "x"))
    assert report_form.read(told_there, quimper, lorient, answered) == Answer(listing, "acted", "x")
    for wrong in ({9: "burned"}, {9: None}, {10: None}, {10: "x" * 501}):
        with pytest.raises(RemoteProtocolError, match="bad_inner"):
            report_form.read({**told_there, **wrong}, quimper, lorient, answered)
    reported(pair, {1: key, 4: 0, 5: 0, 6: listing, 7: "all", 8: []})
    assert at_lorient(pair) == []
    with pair.lorient.inside():
        assert "bad_inner" in [each.code for each in refusals.latest(quimper)]


def test_a_partner_fills_no_desk(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(between, "OPEN_MAX", 3)
    lorient, quimper = pair.lorient.town.id, pair.quimper.town.id
    for number in range(5):
        publish(pair, "Roue libre", "Lorient", f"Objet {number}")
        listing = shown(pair, "Lorient", f"Objet {number}").key
        key = report_form.report_key(quimper, lorient, listing)
        reported(pair, report_form.said_inner(key, 0, Said(listing, (("other", 1),), ())))
    with pair.lorient.inside():
        assert reports.count_open(town=quimper) == 3
        assert "over_quota" in [each.code for each in refusals.latest(quimper)]
    assert "Objet 0" in pair.visitor("Anne", "Lorient").read("/admin/signalements").text


def test_a_report_on_what_is_not_ours_or_gone_stores_nothing(pair: Pair) -> None:
    lorient, quimper = pair.lorient.town.id, pair.quimper.town.id
    stranger = secrets.token_bytes(16)
    key = report_form.report_key(quimper, lorient, stranger)
    reported(pair, report_form.said_inner(key, 0, Said(stranger, (("other", 1),), ())))
    with pair.lorient.inside():
        assert not reports.is_any_open() and listings.find(lorient, stranger) is None


def test_many_reporters_are_told_when_they_double_not_one_by_one(pair: Pair) -> None:
    said, records_written = 0, []
    for count in range(1, 41):
        if between._is_news(count, said):
            said, records_written = count, [*records_written, count]
    assert records_written == [1, 2, 3, 6, 12, 24]
    assert not between._is_news(0, 0)


def test_a_reported_partner_that_is_not_linked_any_more_is_told_nothing(pair: Pair) -> None:
    with pair.quimper.inside() as town:
        assert not between.tell(town, secrets.token_bytes(32), secrets.token_bytes(16))


def test_a_thousand_people_of_a_partner_hide_nothing_here(pair: Pair) -> None:
    lorient, quimper = pair.lorient.town.id, pair.quimper.town.id
    listing = shown(pair, "Lorient", TITLE).key
    key = report_form.report_key(quimper, lorient, listing)
    reported(pair, report_form.said_inner(key, 0, Said(listing, (("danger", 1_000),), ())))
    assert [each.count for each in at_lorient(pair)] == [1_000]
    assert shown(pair, "Lorient", TITLE).row.hidden == ""


def test_what_was_reported_between_two_towns_goes_with_their_link(pair: Pair) -> None:
    report(pair, "Nolwenn")
    pair.world.sync()
    lorient, quimper = pair.lorient.town.id, pair.quimper.town.id
    pair.visitor("Anne", "Lorient").send(case(pair), measure="hide", reason="En effet.")
    pair.world.sync()
    for place, other in ((pair.quimper, lorient), (pair.lorient, quimper)):
        with place.inside() as town:
            removal.purge(town, other, by="Maïwenn")
            assert not reports.is_any_open()
            held = [parse(row.raw) for row in records.walk(town.id, report_form.KIND)]
            assert held and all(each.is_tombstone for each in held)


def test_what_could_not_be_told_is_told_by_the_next_job(pair: Pair) -> None:
    with pair.quimper.inside():
        partners.save(pair.lorient.town.id, status="ending")
    report(pair, "Nolwenn")
    with pair.quimper.inside() as town:
        partners.save(pair.lorient.town.id, status="active")
        assert between.tell_all(town) == 1
        assert between.tell_all(town) == 0
    pair.world.sync()
    assert len(at_lorient(pair)) == 1


def test_a_listing_hidden_at_home_is_promised_to_nobody_who_still_sees_it_elsewhere(
    pair: Pair,
) -> None:
    held = ask(pair, "Nolwenn", "Quimper", there(pair, TITLE))
    pair.world.sync()
    answer(pair, "Roue libre", "Lorient", held, "approve")
    pair.visitor("Anne", "Lorient").send(case(pair), measure="hide", reason="Freins.")
    late = ask(
        pair, "Yann", "Quimper", there(pair, TITLE), first_day="2026-12-10", last_day="2026-12-11"
    )
    pair.world.sync(3)
    assert "Acceptée" in pair.visitor("Nolwenn").read(held).text  # what was promised stays
    assert "Refusée" in pair.visitor("Yann").read(late).text
