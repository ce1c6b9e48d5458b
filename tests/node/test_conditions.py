"""What is noted of a thing when it goes out and comes back: who may, how long, who forgets it."""

import io
import secrets
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from node.domain.clock import FixedClock
from node.domain.errors import Invalid, NotFound
from node.engagements import conditions, diary
from node.photos.private import PrivatePhotos
from tests.node.engagement_towns import START_MS, TownHere, found

PHOTO = bytes(range(32))


@pytest.fixture
def town(tmp_path: Path) -> Iterator[TownHere]:
    made = found(tmp_path, "Lorient", FixedClock(START_MS))
    yield made
    made.database.close()


def picture(colour: str = "red") -> bytes:
    """Return a small photo with metadata in it."""
    raw = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "chez Anne"
    Image.new("RGB", (40, 30), colour).save(raw, "JPEG", exif=exif)
    return raw.getvalue()


def out(town: TownHere, first: int = 0) -> tuple[Any, bytes]:
    """Return a loan that is out, and the act that handed it over."""
    row = town.ask(town.publish(), first=first, last=first + 1)
    town.act(row, "approve")
    act = secrets.token_bytes(8)
    return town.act(row, "hand_over", act_id=act), act


def noted(town: TownHere, row: Any, act: bytes, **said: Any) -> bool:
    """Note a condition inside the town."""
    with town.inside():
        return town.engine.conditions.note(row, act, **said)


def read(town: TownHere, row: Any) -> tuple[conditions.Condition, ...]:
    """Return what the town says of an engagement's thing."""
    with town.inside():
        return town.engine.conditions.of(town.engine.find(row.id))


def test_the_condition_hangs_on_the_act_it_was_noted_with(town: TownHere) -> None:
    row, act = out(town)
    assert noted(
        town, row, act, text=" Rayée ", parts=["Pompe", "Pompe"], missing=["Sangle"],
        has_deposit=True, photo=PHOTO,
    )  # fmt: skip
    (said,) = read(town, row)
    assert (said.act, said.action, said.at_ms) == (act, "hand_over", START_MS)
    assert (said.text, said.parts, said.missing) == ("Rayée", ("Pompe",), ("Sangle",))
    assert said.has_deposit and said.photo == PHOTO


def test_it_is_noted_once_and_only_with_an_act_of_the_keeper(town: TownHere) -> None:
    row, act = out(town)
    assert noted(town, row, act, text="Neuve")
    assert not noted(town, row, act, text="Cassée depuis")
    with town.inside():
        ask = next(iter(conditions.acts.of_engagement(row.id)))
    assert not noted(town, row, ask.id, text="par l'emprunteur")
    assert not noted(town, row, bytes(8), text="sans acte")
    assert [each.text for each in read(town, row)] == ["Neuve"]


def test_the_logbook_has_it_and_a_restore_brings_it_back(town: TownHere) -> None:
    row, act = out(town)
    noted(town, row, act, text="Rayée", photo=PHOTO)
    with town.inside():
        told = diary.told(town.engine.find(row.id))
        conditions.forget(row)
        conditions.acts.put_all(row.id, [{**each, "member": None} for each in told["acts"]])
    assert [(each.text, each.photo) for each in read(town, row)] == [("Rayée", PHOTO)]


@pytest.mark.parametrize(("days", "kept"), [(59, True), (61, False)])
def test_it_is_erased_sixty_days_after_the_end(town: TownHere, days: int, kept: bool) -> None:
    row, act = out(town)
    noted(town, row, act, text="Rayée", photo=PHOTO)
    town.act(row, "take_back")
    town.act(row, "close")
    town.clock.forward(days=days)
    with town.inside():
        assert town.engine.conditions.sweep() == ({PHOTO} if kept else set())
    assert bool(read(town, row)) == kept


def test_while_the_thing_is_out_it_is_kept_however_long(town: TownHere) -> None:
    row, act = out(town)
    noted(town, row, act, text="Rayée")
    town.clock.forward(days=300)
    with town.inside():
        town.engine.conditions.sweep()
    assert read(town, row)


def test_who_is_erased_takes_what_was_noted_of_what_is_over_with_them(town: TownHere) -> None:
    over, act = out(town)
    noted(town, over, act, text="Rayée")
    town.act(over, "take_back")
    town.act(over, "close")
    still_out, act = out(town, 2)
    noted(town, still_out, act, text="Comme neuve")
    with town.inside():
        town.engine.forget(town.member("asker"))
    assert not read(town, over)
    assert read(town, still_out)


@pytest.fixture
def shelf(tmp_path: Path) -> PrivatePhotos:
    limits = SimpleNamespace(upload_max_bytes=1_000_000, photo_max_pixels=1_000_000)
    clock = FixedClock(int(tmp_path.stat().st_mtime_ns // 1_000_000))
    return PrivatePhotos(tmp_path / "private", limits, clock)


def test_a_private_photo_is_made_small_and_carries_no_metadata(shelf: PrivatePhotos) -> None:
    raw = shelf.path(shelf.keep(picture())).read_bytes()
    assert b"chez Anne" not in raw and raw[8:12] == b"WEBP"


@pytest.mark.parametrize("raw", [b"", b"<svg/>", b"%PDF-1.4", picture()[:60]])
def test_what_is_no_photo_is_not_kept(shelf: PrivatePhotos, raw: bytes) -> None:
    with pytest.raises(Invalid):
        shelf.keep(raw)


def test_a_photo_nobody_needs_is_deleted_after_a_day(shelf: PrivatePhotos) -> None:
    needed, unneeded = shelf.keep(picture("red")), shelf.keep(picture("blue"))
    assert shelf.sweep({needed}) == 0
    shelf.clock.forward(days=1, hours=1)  # type: ignore[attr-defined]
    fresh = shelf.keep(picture("green"))
    assert shelf.sweep({needed}) >= 1
    assert shelf.path(needed).is_file()
    with pytest.raises(NotFound):
        shelf.path(unneeded)
    assert fresh not in (needed, unneeded)
