"""The communes of France: their codes, names, postcodes and positions, from communes.tsv.gz.

The file is built by scripts/places.py and read at the first question; its sources and licences
are in LICENCES.md beside it.
"""

import gzip
import math
import unicodedata
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

FILE = Path(__file__).with_name("communes.tsv.gz")
EARTH_RADIUS_M = 6_371_008.8
METRES_PER_DEGREE = EARTH_RADIUS_M * math.pi / 180

Position = tuple[int, int]  # latitude, longitude in millionths of a degree


@dataclass(frozen=True, slots=True)
class Commune:
    """One current commune; `former` are the INSEE codes it took over."""

    insee: str
    name: str
    department: str
    postcodes: tuple[str, ...]
    population: int | None
    former: tuple[str, ...]
    lat_e6: int | None
    lon_e6: int | None

    @property
    def position(self) -> Position | None:
        """Latitude and longitude in millionths of a degree, None where they are not known."""
        if self.lat_e6 is None or self.lon_e6 is None:
            return None
        return self.lat_e6, self.lon_e6


def find(insee: str) -> Commune | None:
    """The commune of an INSEE code; a former code gives the commune it joined."""
    gazetteer = _gazetteer()
    row = gazetteer.row_of(insee)
    if row is None:
        row = gazetteer.row_of(gazetteer.former.get(insee, ""))
    return None if row is None else gazetteer.commune(row)


def by_postcode(postcode: str) -> list[Commune]:
    """The communes served by a postcode, the most populous first."""
    gazetteer = _gazetteer()
    return _largest_first(gazetteer.commune(row) for row in gazetteer.postcodes.get(postcode, ()))


def by_name(text: str, limit: int = 20) -> list[Commune]:
    """The communes of that name, else those whose name begins so, the most populous first.

    Case, accents, hyphens and "St" for "Saint" do not matter.
    """
    wanted = folded(text)
    if not wanted:
        return []
    gazetteer = _gazetteer()
    low = bisect_left(gazetteer.names, wanted)
    high = bisect_right(gazetteer.names, wanted + "\uffff")
    found = [name.split("\t") for name in gazetteer.names[low:high]]
    exact = [row for name, row in found if name == wanted]
    rows = exact or [row for _name, row in found]
    return _largest_first(gazetteer.commune(int(row)) for row in rows)[:limit]


def nearest(lat_e6: int, lon_e6: int) -> Commune | None:
    """The commune whose town hall is nearest; None when there is none within 50 km."""
    gazetteer = _gazetteer()
    here = (lat_e6, lon_e6)
    for reach_e6 in (60_000, 200_000, 450_000):
        close = gazetteer.between(lat_e6 - reach_e6, lat_e6 + reach_e6)
        best = min(((distance_m(here, at), row) for at, row in close), default=None)
        if best and best[0] <= reach_e6 / 1_000_000 * METRES_PER_DEGREE:
            return gazetteer.commune(best[1])
    return None


def distance_m(a: Position, b: Position) -> float:
    """The distance in metres between two positions (haversine on a sphere)."""
    lat_a, lon_a, lat_b, lon_b = (math.radians(degrees / 1_000_000) for degrees in (*a, *b))
    half = (
        math.sin((lat_b - lat_a) / 2) ** 2
        + math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(half))


def folded(text: str) -> str:
    """A name as it is compared: lower case, no accents, spaces for every mark, "saint" in full."""
    spelt = text.lower().replace("œ", "oe").replace("æ", "ae")
    plain = unicodedata.normalize("NFKD", spelt)
    letters = "".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    full = {"st": "saint", "ste": "sainte"}
    return " ".join(full.get(word, word) for word in letters.split())


def _largest_first(communes: Iterable[Commune]) -> list[Commune]:
    return sorted(communes, key=lambda c: (-(c.population or 0), c.insee))


class _Gazetteer:
    """The file in memory: its lines in the order of their codes, and what finds one of them."""

    def __init__(self, lines: list[bytes]) -> None:
        self.lines = lines

    def row_of(self, insee: str) -> int | None:
        """The row of a current code."""
        if not insee:
            return None
        start = insee.encode() + b"\t"
        row = bisect_left(self.lines, start)
        return row if row < len(self.lines) and self.lines[row].startswith(start) else None

    def commune(self, row: int) -> Commune:
        """The commune of a row."""
        code, name, department, postcodes, population, former, lat, lon = self._cells(row)
        return Commune(
            insee=code,
            name=name,
            department=department,
            postcodes=tuple(postcodes.split()),
            population=int(population) if population else None,
            former=tuple(former.split()),
            lat_e6=_e6(lat) if lat else None,
            lon_e6=_e6(lon) if lon else None,
        )

    def _cells(self, row: int) -> list[str]:
        return self.lines[row].decode().split("\t")

    def between(self, low_e6: int, high_e6: int) -> Iterator[tuple[Position, int]]:
        """The positions between two latitudes, each with its row."""
        lats, lons, rows = self._by_latitude
        for i in range(bisect_left(lats, low_e6), bisect_right(lats, high_e6)):
            yield (lats[i], lons[i]), rows[i]

    @cached_property
    def former(self) -> dict[str, str]:
        """Former code -> code of the commune it joined."""
        cells = (line.decode().split("\t") for line in self.lines)
        return {old: cell[0] for cell in cells if cell[5] for old in cell[5].split()}

    @cached_property
    def postcodes(self) -> dict[str, tuple[int, ...]]:
        """Postcode -> rows."""
        index: dict[str, tuple[int, ...]] = {}
        for row, line in enumerate(self.lines):
            for postcode in line.split(b"\t", 4)[3].decode().split():
                index[postcode] = (*index.get(postcode, ()), row)
        return index

    @cached_property
    def names(self) -> list[str]:
        """Every folded name with its row after a tab, in alphabetical order."""
        spelt = (line.split(b"\t", 2)[1].decode() for line in self.lines)
        return sorted(f"{folded(name)}\t{row}" for row, name in enumerate(spelt))

    @cached_property
    def _by_latitude(self) -> tuple[array, array, array]:
        cells = ((row, line.rsplit(b"\t", 2)) for row, line in enumerate(self.lines))
        known = sorted((_e6(lat), _e6(lon), row) for row, (_rest, lat, lon) in cells if lat)
        lats, lons, rows = zip(*known, strict=True)
        return array("i", lats), array("i", lons), array("i", rows)


def _e6(degrees: str | bytes) -> int:
    """Millionths of a degree from "47.7483"."""
    return round(float(degrees) * 1_000_000)


@lru_cache(maxsize=1)
def _gazetteer() -> _Gazetteer:
    return _Gazetteer(gzip.decompress(FILE.read_bytes()).splitlines())
