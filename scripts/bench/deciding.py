"""Times the deciding of an engagement on an empty node and beside years of others; see `decide`.

Both nodes are opened in this process and take turns, so that the machine's noise meets both. The
past is made of one real loan, done from asking to closing, copied with its acts over all listings,
members and days; the thing that is asked for has had its own share of it.
"""

import argparse
import json
import logging
import random
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from node.domain.capacity import calendar_day
from node.store.catalogue import holdings, listings
from node.store.database import db, execute_many, write_tx
from node.store.people import members
from node.store.promises import acts
from node.store.promises import engagements as rows
from scripts.bench.table import drawn, machine, spread
from tests.nodes import Node, Nodes, listing

STEPS = ("ask", "accept", "withdraw", "decline", "sweep")
HEAD = ("step", "empty ms", "full ms", "ratio")
MEMBERS = 3_000
POPULAR = 300  # past loans of the very thing that is asked for
PATRON = 60  # past loans of the very member who asks
DAY_MS = 86_400_000
BATCH = 5_000


def main() -> None:
    """Measure and print."""
    logging.disable(logging.WARNING)
    asked, before = _asked(), machine()
    with tempfile.TemporaryDirectory(prefix="lavoir-bench-") as folder:
        figures = measured(Path(folder), asked.listings, asked.past, asked.reps)
    if asked.json:
        print(json.dumps({"machine": before, "seconds": figures}))
    else:
        print("  ".join(f"{name} {value}" for name, value in before.items()))
        print(told(figures))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench/decide")
    parser.add_argument("--listings", type=int, default=50_000)
    parser.add_argument("--past", type=int, default=200_000)
    parser.add_argument("--reps", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


Figures = dict[str, dict[str, list[float]]]


def measured(folder: Path, count: int, past: int, reps: int) -> Figures:
    """Return {step: {"empty" | "full": seconds of each repetition}}."""
    nodes = Nodes(folder)
    places = {"empty": _Place(nodes.found("Lorient")), "full": _Place(nodes.found("Quimper"))}
    places["full"].fill(count, past)
    figures: Figures = {step: {name: [] for name in places} for step in STEPS}
    for turn in range(reps + 1):
        for name, place in places.items():
            for step, took in place.decide(turn):
                if turn:  # the first turn warms the caches of both
                    figures[step][name].append(took)
    return figures


class _Place:
    """One node, the thing that is asked for, who keeps it and who asks."""

    def __init__(self, node: Node) -> None:
        self.node = node
        with node.inside() as town:
            now_ms = town.clock.now_ms()
            self.keeper = members.join("Annaïg", now_ms=now_ms).id
            self.asker = members.join("Yann", now_ms=now_ms).id
        (self.key,) = node.publish(1)
        with node.inside(), write_tx():
            holdings.keep(self.key, self.keeper, now_ms)

    def decide(self, turn: int) -> Iterator[tuple[str, float]]:
        """Ask twice; accept and withdraw one, decline the other; yield what each step took."""
        with self.node.inside() as town:
            thing = listings.find(town.id, self.key)
            first = town.engagements.ground.today(town.clock.now_ms()) + 3 + turn % 30
            form = {name: calendar_day(first).isoformat() for name in ("first_day", "last_day")}

            def ask() -> Any:
                return town.engagements.ask(thing, self.asker, form, secrets.token_bytes(16))

            def act(row: Any, action: str, role: str) -> Any:
                who = self.asker if role == "asker" else self.keeper
                return town.engagements.act(
                    row.id, action, member_id=who, role=role, act_id=secrets.token_bytes(8)
                )

            took, row = _timed(ask)
            yield "ask", took
            took, row = _timed(lambda: act(row, "approve", "keeper"))
            yield "accept", took
            yield "withdraw", _timed(lambda: act(row, "withdraw", "asker"))[0]
            other = ask()
            yield "decline", _timed(lambda: act(other, "decline", "keeper"))[0]
            yield "sweep", _timed(town.engagements.sweep)[0]

    def fill(self, count: int, past: int) -> None:
        """Add `count` listings and `past` loans that are over."""
        with self.node.inside() as town:
            ids = [self.keeper, self.asker, *self._people(town)]
            keys = [self.key, *self._listings(town, count - 1)]
            model, its_acts = self._one_loan(town)
            chance = random.Random(1)
            for start in range(0, past, BATCH):
                many = range(start, min(start + BATCH, past))
                loans = [_copied(model, keys, ids, chance, number) for number in many]
                with write_tx():
                    _insert("engagement", loans)
                    _insert("act", [_of(act, loan) for loan in loans for act in its_acts])
            db.execute_sql("ANALYZE")

    def _people(self, town: Any) -> list[int]:
        with write_tx():
            now_ms = town.clock.now_ms()
            return [members.join(f"M{at}", now_ms=now_ms).id for at in range(MEMBERS)]

    def _listings(self, town: Any, count: int) -> list[bytes]:
        keys: list[bytes] = []
        while len(keys) < count:
            with write_tx():
                for at in range(len(keys), min(len(keys) + BATCH, count)):
                    record = town.journal.publish("lending.item/1", listing(f"Objet {at}"))
                    holdings.keep(record.key, self.keeper, town.clock.now_ms())
                    keys.append(record.key)
        return keys

    def _one_loan(self, town: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        thing, today = listings.find(town.id, self.key), None
        today = town.engagements.ground.today(town.clock.now_ms())
        form = {name: calendar_day(today).isoformat() for name in ("first_day", "last_day")}
        row = town.engagements.ask(thing, self.asker, form, secrets.token_bytes(16))
        for action in ("approve", "hand_over", "take_back", "close"):
            row = town.engagements.act(
                row.id, action, member_id=self.keeper, role="keeper", act_id=secrets.token_bytes(8)
            )
        if not row.final:
            raise SystemExit(f"the model loan is not over but {row.state}")
        return _columns("engagement", row.id, "id"), [
            _columns("act", act.id, "id") for act in acts.of_engagement(row.id)
        ]


def _timed(act: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    done = act()
    return time.perf_counter() - began, done


def _columns(table: str, key: bytes, column: str) -> dict[str, Any]:
    cursor = db.execute_sql(f"SELECT * FROM {table} WHERE {column} = ?", (key,))
    names = [each[0] for each in cursor.description]
    return dict(zip(names, cursor.fetchone(), strict=True))


def _copied(
    model: dict[str, Any], keys: list[bytes], ids: list[int], chance: random.Random, number: int
) -> dict[str, Any]:
    """A loan like the model, of another thing, by another member, some time ago."""
    key = keys[0] if number < POPULAR else chance.choice(keys)
    asker = ids[1] if POPULAR <= number < POPULAR + PATRON else chance.choice(ids)
    ago_ms = chance.randrange(10, 2_000) * DAY_MS
    return {
        **model,
        "id": secrets.token_bytes(16),
        "listing_key": key,
        "asker": asker,
        "who": secrets.token_bytes(16),
        **{name: model[name] - ago_ms for name in ("since_ms", "created_ms")},
    }


def _of(act: dict[str, Any], loan: dict[str, Any]) -> dict[str, Any]:
    return {**act, "engagement_id": loan["id"], "id": secrets.token_bytes(8)}


def _insert(table: str, many: list[dict[str, Any]]) -> None:
    names = list(many[0])
    columns = ", ".join(f'"{name}"' for name in names)
    marks = ", ".join("?" * len(names))
    execute_many(
        f"INSERT INTO {table} ({columns}) VALUES ({marks})",
        [tuple(each[name] for name in names) for each in many],
    )


def told(figures: Figures) -> str:
    """Return the table: a line for each step, milliseconds."""
    lines = []
    for step, took in figures.items():
        ms = {name: [each * 1_000 for each in times] for name, times in took.items()}
        ratio = statistics.median(ms["full"]) / statistics.median(ms["empty"])
        lines.append((step, spread(ms["empty"]), spread(ms["full"]), f"{ratio:.2f}"))
    return drawn(HEAD, lines)


def past_of(place: Node) -> int:
    """Return how many engagements a node holds."""
    with place.inside():
        return len(rows.unfinished(0))


if __name__ == "__main__":
    main()
