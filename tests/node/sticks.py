"""What hands carry between the towns of a `World`: files made at one, damaged, read at another."""

import io
import shutil
from pathlib import Path
from typing import Any

from federation import bundle, codec, frames
from federation.bundle import Item, Reader
from node.courier import Arrived, import_from, write_to
from tests.world import World

TOWNS = ("Lorient", "Quimper")


def couple(folder: Path) -> Path:
    """Found Lorient and Quimper, partners who know each other's sealing keys; return their folder.

    Founding takes a second; a copy of the folder (`moved_in`) is a world of its own at once.
    """
    world = World(folder)
    for name in TOWNS:
        with world.found(name).inside() as town:
            town.publish_profile()
    world.pair(*TOWNS)
    world.sync(1)
    world.close()
    return folder


def moved_in(houses: Path, folder: Path) -> World:
    """Return a world whose towns are those of `houses`, with no network between them."""
    world = World(folder / "towns")
    shutil.copytree(houses, world.folder)
    for name in TOWNS:
        world.start(name)
    world.cut(*TOWNS)
    return world


def pack(world: World, maker: str, reader: str | None, **how: Any) -> bytes:
    """Write a file at `maker` for `reader` (None: anyone)."""
    to = world.places[reader].town.id if reader else None
    out = io.BytesIO()
    with world.places[maker].inside() as town:
        write_to(town, to, out, **how)
    return out.getvalue()


def unpack(world: World, reader: str, raw: bytes, progress: Any = None) -> Arrived:
    """Read a file at `reader`."""
    with world.places[reader].inside() as town:
        return import_from(town, io.BytesIO(raw), progress)


def carry(world: World, maker: str, reader: str) -> Arrived:
    """Write a file at one town and read it at the other."""
    return unpack(world, reader, pack(world, maker, reader))


def opened(world: World, reader: str, raw: bytes) -> list[Item]:
    """Return what a town finds in a file, judged by nobody."""
    with world.places[reader].inside() as town:
        seen = Reader(town.id, [key.private for key in town.keyring.hpke])
        return [*seen.feed(raw), *seen.end()]


def header_of(raw: bytes) -> bundle.Header:
    """Return the header of a file."""
    return bundle.parse_header(next(codec.sequence(raw)))


def without(raw: bytes, *types: str) -> bytes:
    """Return a file without its open items of these types."""
    return b"".join(each for each in codec.sequence(raw) if frames.type_of(each) not in types)


def state(world: World, *names: str) -> dict[str, Any]:
    """Return what these towns hold."""
    found = world.fingerprints()
    return {name: found[name] for name in names}
