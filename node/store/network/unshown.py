"""The records held of a town that no page shows: of kinds, or with fields, of a newer version."""

from collections.abc import Collection

from node.store.database import db


def of_kinds_but(origin: bytes, known: Collection[str]) -> dict[str, int]:
    """Return {kind: live records} held of an origin in kinds that are not `known`."""
    marks = ", ".join("?" * len(known))
    rows = db.execute_sql(
        "SELECT kind, COUNT(*) FROM record WHERE origin = ? AND state = 0"
        f" AND kind NOT IN ({marks}) GROUP BY kind ORDER BY kind",
        (origin, *known),
    ).fetchall()
    return {str(kind): int(count) for kind, count in rows}


def listings_of(origin: bytes, kinds: Collection[str]) -> int:
    """Return how many live public records of listing kinds have no page.

    They carry a critical field this version does not know, or a body it cannot read.
    """
    marks = ", ".join("?" * len(kinds))
    row = db.execute_sql(
        "SELECT COUNT(*) FROM record AS r LEFT JOIN listing AS l"
        ' ON l.origin = r.origin AND l."key" = r."key" AND l.record = r.id'
        " WHERE r.origin = ? AND r.state = 0 AND r.scope < 2"
        f" AND r.kind IN ({marks}) AND l.id IS NULL",
        (origin, *kinds),
    ).fetchone()
    return int(row[0])
