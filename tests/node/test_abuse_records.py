"""Abuse, records in a whole node: kept out with a sentence on a page, nothing broken."""

import logging
import unicodedata
from typing import Any

import pytest

from federation import codec, limits
from federation.record import Record, parse
from node.desk import reasons
from node.journal import projection
from node.partners import pairing
from node.store.database import write_tx
from node.store.network import exchanges, partners, refusals, strikes
from node.store.sets import records
from node.upkeep import upkeep
from tests.node.partner_wire import (
    KIND,
    Caller,
    code_of,
    desk_page,
    desk_page_of,
    falsified,
    foreign_record,
    held_ids,
    item,
    plant,
    publish,
    titles,
    visits,
)
from tests.world import Place, World

DAY_MS = 86_400_000


def of_body(world: World, place: Place, body: Any) -> Record:
    """A rightly signed listing with whatever body."""
    raw = body if isinstance(body, bytes) else codec.dumps(body)
    return foreign_record(place.town.keyring, world.clock.now_ms(), body=raw)


def rule_r(world: World, lorient: Place, quimper: Place, raw: bytes, code: str) -> None:
    """Push a bad record among good ones: a code, a sentence, nothing kept, the rest goes on."""
    good = publish(quimper, "Perceuse", "Scie")
    world.visit("Lorient", "Quimper")
    before = held_ids(lorient, quimper.town.id)
    answer = Caller(quimper, lorient).ask(limits.PUSH, good[0].raw + raw + good[1].raw)
    assert answer.status == 200
    assert held_ids(lorient, quimper.town.id) == before
    with lorient.inside():
        (line,) = [each for each in refusals.latest(quimper.town.id) if each.code == code]
    assert reasons.refused(line.code) != reasons.OTHER
    page = desk_page_of(lorient, quimper)
    assert f"{code} {line.record.hex()[:12]}" in page
    assert world.visit("Lorient", "Quimper").outcome == "ok"


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]), "bad_signature"),
        (lambda raw: raw.replace(KIND.encode(), KIND.upper().encode()), "bad_kind"),
        (lambda raw: raw.replace(b"lavoir-record/1", b"lavoir-record/2"), "bad_type"),
    ],
)
def test_a_bad_record_among_good_ones_is_told_on_the_page_of_who_brought_it(
    world: World, lorient: Place, quimper: Place, spoil: Any, code: str
) -> None:
    raw = foreign_record(quimper.town.keyring, world.clock.now_ms()).raw
    rule_r(world, lorient, quimper, spoil(raw), code)


BODIES = {
    "numbers where text belongs": lambda: {**item("x"), "title": 7},
    "a list where text belongs": lambda: {**item("x"), "title": ["x"]},
    "true where a number belongs": lambda: {**item("x"), "max_days": True},
    "a day that no calendar has": lambda: {**item("x"), "ends": 2**53},
    "a map of nothing known": lambda: {"zzz": 1},
    "not a map": lambda: [1, 2],
    "nothing": lambda: None,
}


@pytest.mark.parametrize("what", BODIES)
def test_abuse_012_a_body_of_another_form_is_kept_passed_on_and_not_shown(
    world: World, lorient: Place, quimper: Place, what: str
) -> None:
    record = of_body(world, quimper, BODIES[what]())
    with lorient.inside() as town:
        town.journal.ingest([record.raw], quimper.town.id)
    assert record.id in held_ids(lorient, quimper.town.id)
    assert titles(lorient, quimper) <= {"x"}
    if not titles(lorient, quimper):
        assert "version plus récente est gardé" in desk_page_of(lorient, quimper)
    assert lorient.app.test_client().get("/").status_code == 200


@pytest.mark.parametrize(
    "title",
    ["A" * 15_000, "Z" + "\u0301" * 3_000, "\u202eecoles", "a\u200bb", "line\nbreak", "\x00", " "],
)
def test_abuse_013_a_title_that_is_no_title_breaks_no_page(
    world: World, lorient: Place, quimper: Place, title: str
) -> None:
    body = {**item("x"), "title": unicodedata.normalize("NFC", title)}
    record = of_body(world, quimper, body)
    with lorient.inside() as town:
        town.journal.ingest([record.raw], quimper.town.id)
    assert record.id in held_ids(lorient, quimper.town.id)
    page = lorient.app.test_client().get("/")
    assert page.status_code == 200
    assert "\u202e" not in page.text and "\x00" not in page.text and "A" * 5_000 not in page.text


def test_abuse_015_a_town_whose_name_looks_like_anothers_is_told_by_its_key(
    world: World, lorient: Place
) -> None:
    world.found("Vannes")
    world.pair("Lorient", "Vannes")
    false = world.found("Auray")
    with lorient.inside() as town:
        for keyset in false.town.store.keysets(false.town.id) or [false.town.keyring.genesis]:
            town.store.add_keyset(keyset)
        partners.save(false.town.id, name="V\u0430nnes", url="http://x.test", status="words")
        assert pairing.named("Vannes").town == world.places["Vannes"].town.id
    real, other = (desk_page_of(lorient, world.places[name]) for name in ("Vannes", "Auray"))
    words = pairing.words(lorient.town.id, world.places["Vannes"].town.id)
    assert all(word in real for word in words)
    assert not all(word in other for word in words)


def test_abuse_016_a_spoilt_record_is_held_against_who_carried_it(
    world: World, lorient: Place, quimper: Place
) -> None:
    world.found("Vannes")
    world.pair("Lorient", "Vannes")
    (record,) = publish(world.places["Vannes"], "Tente")
    with lorient.inside() as town:
        town.journal.ingest([falsified(record)], quimper.town.id)
        now_ms = world.clock.now_ms()
        assert [each.code for each in strikes.counts(quimper.town.id, now_ms)] == ["bad_signature"]
        assert strikes.counts(world.places["Vannes"].town.id, now_ms) == []


def test_abuse_023_a_removed_town_does_not_come_back_by_a_relay(
    world: World, lorient: Place, quimper: Place
) -> None:
    world.found("Vannes")
    world.pair("Quimper", "Vannes")
    world.pair("Lorient", "Vannes")
    vannes = world.places["Vannes"]
    (record,) = publish(vannes, "Tente")
    world.sync()
    assert titles(lorient, vannes) == {"Tente"}
    with lorient.inside() as town:
        pairing.remove(vannes.town.id, town.clock)
    world.sync()
    with lorient.inside() as town:
        (verdict,) = town.journal.ingest([record.raw], quimper.town.id)
    assert verdict.code == "refused:not_accepted"
    assert titles(lorient, vannes) == set() and held_ids(lorient, vannes.town.id) == set()
    assert Caller(vannes, lorient).hello().status == 401


def test_abuse_031_two_records_of_one_moment_are_told_at_the_desk(
    world: World, lorient: Place, quimper: Place
) -> None:
    one, other = (
        foreign_record(quimper.town.keyring, world.clock.now_ms(), title, key=bytes(16))
        for title in ("Perceuse", "Scie")
    )
    assert one.stamp == other.stamp
    with lorient.inside() as town:
        town.journal.ingest([one.raw, other.raw], quimper.town.id)
    assert len(titles(lorient, quimper)) == 1
    assert "equivocation" in desk_page_of(lorient, quimper)
    assert "n’aurait pas dû" in desk_page(lorient, "/admin")


def test_abuse_039_a_partner_with_a_clock_in_another_year_exchanges_all_the_same(
    world: World, lorient: Place, quimper: Place
) -> None:
    publish(quimper, "Perceuse")
    caller = Caller(quimper, lorient)
    answer = caller.ask(limits.PUSH, b"", created_s=4_102_444_800)
    assert answer.status == 200
    world.sync()
    assert titles(lorient, quimper) == {"Perceuse"}


@pytest.mark.parametrize(
    ("path", "headers", "body", "status", "code"),
    [
        (limits.PUSH, {"content-encoding": "gzip"}, b"x", 415, "content_encoding"),
        (limits.PUSH, {"content-encoding": "identity"}, b"x", 415, "content_encoding"),
        (limits.PUSH, {}, bytes(limits.FRAME_MAX_BYTES + 1), 413, "too_large"),
        (limits.HELLO, {}, bytes(limits.HELLO_MAX_BYTES + 1), 413, "too_large"),
    ],
)
def test_abuse_048_a_request_that_is_packed_or_too_large(
    lorient: Place, path: str, headers: dict[str, str], body: bytes, status: int, code: str
) -> None:
    answer = lorient.app.test_client().post(path, data=body, headers=headers)
    assert (answer.status_code, codec.loads(answer.get_data())[0]) == (status, code)
    assert lorient.app.test_client().get("/").status_code == 200


def test_abuse_054_a_thousand_visits_that_break_off_leave_nothing_behind(
    world: World, lorient: Place, quimper: Place
) -> None:
    publish(quimper, "Perceuse")
    world.sync()

    def rows() -> dict[str, int]:
        with lorient.inside() as town:
            tables = [name for name in town.database.get_tables() if "search" not in name]
            return {
                name: town.database.execute_sql(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0]
                for name in tables
            }

    with lorient.inside() as town:
        for _ in range(250):
            assert visits_begun(town, quimper)
    before: dict[str, int] = {}
    for _ in range(2):
        caller = Caller(quimper, lorient)
        for _ in range(20):
            caller.hello()  # and then nothing more
            caller.signed(limits.SUMMARY, b"")
        with lorient.inside() as town:
            upkeep(town)
        if before:
            assert rows() == before
        before = rows()
    assert before["exchange"] <= 200 * 2 and before["nonce"] <= 8 * 2
    assert visits(lorient, quimper)


def visits_begun(town: Any, other: Place) -> Any:
    """A visit that was begun and whose process was killed."""
    return exchanges.start(other.town.id, "out", town.clock.now_ms())


def test_abuse_057_a_record_that_trips_our_own_program_stops_nothing(
    world: World,
    lorient: Place,
    quimper: Place,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    real = projection.show

    def show(record: Record, registry: Any) -> None:
        real(record, registry)
        if b"Poison" in record.body:
            raise ZeroDivisionError("a fault of ours")

    publish(quimper, "Perceuse", "Poison", "Scie")
    monkeypatch.setattr(projection, "show", show)
    with caplog.at_level(logging.ERROR):
        for _ in range(2):  # all of the batch, or nothing
            with pytest.raises(ZeroDivisionError):
                world.visit("Lorient", "Quimper")
            assert titles(lorient, quimper) == set()
        for _ in range(2):
            assert world.visit("Lorient", "Quimper").outcome == "ok"
    assert titles(lorient, quimper) == {"Perceuse", "Scie"}
    with lorient.inside():
        assert refusals.counts(quimper.town.id) == {"internal": 1}
    assert "laissé de côté pour l’instant" in desk_page_of(lorient, quimper)
    monkeypatch.undo()
    lorient.town.close()
    lorient = world.start("Lorient")  # as after an update
    assert world.visit("Lorient", "Quimper").outcome == "ok"
    assert titles(lorient, quimper) == {"Perceuse", "Poison", "Scie"}


def test_abuse_103_nothing_in_a_listing_makes_us_fetch_an_address(
    world: World, lorient: Place, quimper: Place
) -> None:
    asked: list[str] = []
    link = "http://169.254.169.254/latest"
    body = {**item("x"), "text": link, "photos": [{"hash": b"h" * 32, "url": link, "alt": "x"}]}
    record = of_body(world, quimper, body)
    with lorient.inside() as town:
        town.exchanges.connect = lambda url, lan=False: asked.append(url)
        town.journal.ingest([record.raw], quimper.town.id)
        upkeep(town)
    assert asked == []
    page = lorient.app.test_client().get("/")
    assert f'src="{link}' not in page.text


def test_abuse_130_what_a_hostile_relay_spoils_is_refused_and_comes_from_who_is_honest(
    world: World, lorient: Place, quimper: Place
) -> None:
    world.found("Vannes")
    world.pair("Quimper", "Vannes")
    world.pair("Lorient", "Vannes")
    vannes = world.places["Vannes"]
    good = publish(vannes, "Tente", "Scie", "Pelle")
    world.visit("Quimper", "Vannes")
    plant(quimper, good[:2])
    world.visit("Lorient", "Quimper")
    assert titles(lorient, vannes) == {"Pelle"}
    assert "bad_signature" in desk_page_of(lorient, quimper)
    world.visit("Lorient", "Vannes")
    assert titles(lorient, vannes) == {"Tente", "Scie", "Pelle"}


def test_abuse_131_what_only_a_newer_node_knows_goes_through_an_older_one_byte_for_byte(
    world: World, lorient: Place, quimper: Place
) -> None:
    """Lorient knows a kind that Quimper, between, does not; Vannes receives the very bytes."""
    world.found("Vannes")
    world.pair("Quimper", "Vannes")
    vannes = world.places["Vannes"]
    with quimper.inside() as town:
        pairing.introduce(lorient.town.id, vannes.town.id, town.clock)
    ring, now_ms = lorient.town.keyring, world.clock.now_ms()
    with lorient.inside() as town:
        made = [
            town.journal.publish("future.thing/1", {"new": 1}),
            foreign_record(ring, now_ms, extra={13: "later", 23: [1, {2: b"x"}]}),
            foreign_record(ring, now_ms, crit=(14,), extra={14: True}),
            town.journal.publish("lending.item/9", {"new": [1, {"a": b"x"}]}),
        ]
        with write_tx():  # as a newer journal would write them
            town.journal._keep(made[1])
            town.journal._keep(made[2])
    world.visit("Vannes", "Quimper")
    with vannes.inside() as town:
        pairing.accept_introduced(lorient.town.id, town.store, town.clock)
    for _ in range(2):
        world.visit("Quimper", "Lorient")
        world.visit("Vannes", "Quimper")
    with vannes.inside():
        held = {each.id: records.by_id(each.id) for each in made}
    assert {each.id: bytes(held[each.id].raw) for each in made if held[each.id]} == {
        each.id: each.raw for each in made
    }
    assert parse(made[2].raw).crit == (14,)
    page = desk_page_of(quimper, lorient)
    assert "3 enregistrements d’une version plus récente sont gardés et transmis." in page
    assert "future.thing/1" in page
    assert titles(quimper, lorient) == {"Perceuse"}  # a field more hides nothing
    assert code_of(Caller(vannes, quimper).ask(limits.PREFIX + "v2", b"\xa0")) == "not_found"
