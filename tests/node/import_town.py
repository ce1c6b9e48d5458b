"""A town that imports: rows of the national base as a test wants them, and what became of them."""

import csv
import json
from pathlib import Path
from typing import Any

from federation import codec
from node.imports.report import Report
from node.imports.run import import_file
from node.store.catalogue.listings import Listing
from node.store.sets import records
from tests.world import Place

COLUMNS = (
    "id_lieu", "id_local", "nom_lieu", "ad_lieu", "com_lieu", "insee", "type", "date_maj", "ouvert",
    "source", "Xlong", "Ylat", "nbre_pl", "nbre_pmr", "duree", "horaires", "proprio", "lumiere",
    "comm",
)  # fmt: skip


def spot(number: int, **cells: str) -> dict[str, str]:
    """A carpool place of Lorient; each stands a little further east."""
    return {
        "id_lieu": f"56121-C-{number:03}",
        "id_local": f"C-{number:03}",
        "nom_lieu": f"Aire {number}",
        "com_lieu": "LORIENT",
        "insee": "56121",
        "type": "Aire de covoiturage",
        "date_maj": "2024-05-02",
        "ouvert": "true",
        "source": "225600014",
        "Xlong": f"-3.3{number:04}",
        "Ylat": "47.7483",
        **cells,
    }


def bnlc(tmp_path: Path, rows: list[dict[str, str]], extra: tuple[str, ...] = ()) -> Path:
    path = tmp_path / "bnlc.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, [*COLUMNS, *extra], restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def bring(place: Place, path: Path, format: str = "bnlc", **how: Any) -> Report:
    """Import as the command line does, and check that the numbers add up."""
    with place.inside() as town:
        now_ms = town.clock.now_ms()
        report = import_file(town.journal, town.registry, path, format=format, now_ms=now_ms, **how)
    told = report.as_json()
    assert report.rows == report.listed + report.rejected
    assert json.loads(json.dumps(told)) == told
    return report


def bodies(place: Place) -> dict[str, dict[str, Any]]:
    """Return {title: body} of what the town lists."""
    with place.inside() as town:
        rows = Listing.select().where(Listing.origin == town.id)
        return {row.title: codec.loads(row.body) for row in rows if row.state == "published"}


def stamps(place: Place) -> dict[bytes, bytes]:
    """Return {register: record id} of all the town has signed."""
    with place.inside():
        return {bytes(row.key): bytes(row.id) for row in records.walk()}


def counts(report: Report) -> dict[str, int]:
    names = ("new", "changed", "renewed", "unchanged", "rejected", "withdrawn", "held_back")
    return {name: getattr(report, name) for name in names if getattr(report, name)}
