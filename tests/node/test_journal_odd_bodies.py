"""Records that are signed right and say odd things: held, shown if they can be, never an error."""

import json
import random
import unicodedata
from collections.abc import Iterator
from typing import Any

from federation import codec
from federation.record import RECORD_MAX_BYTES, new_key
from node.app import ROOT
from node.domain.schema import plain
from node.journal import profile
from node.store.catalogue.listings import Listing
from node.store.network import towns
from tests.node.partner_wire import foreign_record
from tests.world import START_MS, Place, World

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**53, 2**63 - 1, 2**63, 2**64 - 1, -(2**63), b"",
    b"\x00" * 32, b"x" * 2_000, "", " ", "\x00", "\n\r\t", "\u202e txet", "\ud7ff", "\U0010ffff",
    "é" * 500, "<script>alert(1)</script>", "{{ 7 * 7 }}", "%(town)s %s %d", "'; DROP TABLE x; --",
    '" OR NEAR(', "javascript:alert(1)", "http://a.test/\"><b>", "../../etc/passwd", [], {}, [[]],
    [0] * 100, ["a"] * 100, {"a": 1}, [{"hash": b"\x00" * 32, "width": 1, "height": 1, "size": 1}],
    {"name": "N" * 200, "lat_e6": 90_000_000, "lon_e6": -180_000_000}, {"lat_e6": 91_000_000},
    {"name": "", "insee": "99999"}, 2_932_896, 1_439, 100_000_000,
)  # fmt: skip
TURNS = 40  # mutations of each body


def bodies(place: Place, rng: random.Random) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (kind, body): what towns say, and what they say with something odd put in."""
    for practice in place.town.registry.practices:
        file = ROOT / "practices" / practice.name / "demo.json"
        pool = json.loads(file.read_text(encoding="utf-8"))
        for said in rng.sample(pool, 6):
            right = plain(practice.schema.read({k: v for k, v in said.items() if k != "town"}))
            names = list(practice.schema.struct.__struct_fields__)
            yield practice.kind, right
            for _ in range(TURNS):
                yield practice.kind, odd(right, names, rng)


def odd(right: dict[str, Any], names: list[str], rng: random.Random) -> dict[str, Any]:
    """Return a body with one to three values, at any depth, replaced, added or left out."""
    body = json.loads(json.dumps(right, default=lambda value: value.hex()))
    for _ in range(rng.randrange(1, 4)):
        holder: Any = body
        while True:
            inner = [each for each in _values(holder) if isinstance(each, dict | list) and each]
            if not inner or rng.random() < 0.6:
                break
            holder = rng.choice(inner)
        if isinstance(holder, list):
            holder[rng.randrange(len(holder))] = rng.choice(ODD)
        elif holder and rng.random() < 0.2:
            holder.pop(rng.choice(list(holder)))
        else:
            holder[rng.choice(names if holder is body else list(holder))] = rng.choice(ODD)
    return body


def _values(holder: Any) -> list[Any]:
    return list(holder.values() if isinstance(holder, dict) else holder)


def written(body: Any) -> bytes | None:
    """Return a body as it is signed, None where that is impossible."""
    try:
        raw = codec.dumps(_without_none(body))
    except Exception:
        return None
    return raw if len(raw) < RECORD_MAX_BYTES - 500 else None


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_none(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_none(each) for each in value]
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value


def test_no_body_however_odd_is_an_error_of_the_journal_or_of_a_page(
    world: World, rng: random.Random
) -> None:
    lorient, ring = world.places["Lorient"], world.places["Quimper"].town.keyring
    raws = []
    for kind, body in bodies(lorient, rng):
        raw = written(body)
        if raw is not None:
            raws.append(foreign_record(ring, START_MS, kind=kind, key=new_key(), body=raw).raw)
    with lorient.inside() as town:
        brought = town.journal.ingest(raws, ring.town)
    assert {each.code for each in brought} == {"stored"}
    check_pages(lorient, ring.town)


def check_pages(place: Place, origin: bytes) -> None:
    """Assert that every listing of an origin that is shown has its page, and the lists theirs."""
    client = place.app.test_client()
    with place.inside():
        rows = list(Listing.select().where(Listing.origin == origin))
    assert len([row for row in rows if row.state == "published"]) > 18
    for row in rows:
        answer = client.get(f"/a/{row.code}")
        assert answer.status_code in (200, 410), (answer.status_code, row.title, bytes(row.body))
        assert "<script>alert" not in answer.text and 'href="javascript' not in answer.text
    for path in ("/", "/?q=a", "/carte", "/villes", "/api/v1/listings?limit=100", "/api/v1/towns"):
        assert client.get(path, follow_redirects=True).status_code == 200, path
    following = "/api/v1/listings?limit=100"
    while following:
        page = client.get(following).get_json()
        following = page.get("next") or ""


def test_no_profile_however_odd_is_an_error(world: World) -> None:
    lorient, ring = world.places["Lorient"], world.places["Quimper"].town.keyring
    right = plain(profile.Profile(name="Quimper", hpke=ring.hpke[0].public))
    raws = [
        raw
        for field in profile.Profile.__struct_fields__
        for value in ODD
        if (raw := written({**right, field: value})) is not None
    ]
    for at, raw in enumerate(raws):
        record = foreign_record(
            ring,
            START_MS,
            kind=profile.KIND,
            key=profile.KEY,
            body=raw,
            stamp=(START_MS << 16) + at + 1,
        )
        with lorient.inside() as town:
            (verdict,) = town.journal.ingest([record.raw], ring.town)
            assert verdict.code == "stored", raw
            card = towns.find(ring.town)
        assert card is None or len(card.hpke) == 32
        if at % 20 == 0:
            assert lorient.app.test_client().get("/villes").status_code == 200
    assert world.visit("Lorient", "Quimper").outcome == "ok"
