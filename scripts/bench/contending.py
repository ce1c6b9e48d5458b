"""Many processes ask one node for the same few things; then everything is counted; see `contend`.

Each process opens the town itself, as a server does, and asks through the engine. Of what it was
promised it gives some back, so that things go on coming free. Its ledger is compared with the rows.
"""

import argparse
import json
import multiprocessing
import random
import secrets
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from node.domain.clock import SystemClock
from node.domain.errors import DomainError
from node.engagements import capacity
from node.store.catalogue import listings
from node.store.database import StorageRefused, using
from node.store.promises import engagements as rows
from node.store.promises import tallies
from scripts.bench.table import drawn, machine
from tests.node.engagement_towns import TownHere, found, opened
from tests.node.scarce import PRACTICE, offer

KINDS = ("days", "seats", "stock", "sum", "once")
THINGS = 12  # listings of each kind: few enough to be wanted by many at once
MEMBERS = 40
SLOTS, COPIES, SEATS, STOCK, MOST = 60, 2, 5, 8, 50_00
GIVEN_BACK = 0.03  # after each attempt, so that there is always something to win
REPORT_EVERY = 200
LINES = 50  # of progress, where nobody looks at a terminal
OUTCOMES = ("granted", "refused", "retried")
NAME = "Lorient"

Holding = dict[str, Any]


@dataclass
class Told:
    """What one process did: how often each outcome, and what it was promised and still holds."""

    outcomes: Counter[str] = field(default_factory=Counter)
    held: dict[str, Holding] = field(default_factory=dict)


@dataclass(frozen=True)
class Order:
    """What one process is to do."""

    folder: str
    kinds: tuple[str, ...]
    attempts: int
    number: int
    seed: int


def main() -> int:
    """Contend, count, print; return 0 when everything adds up."""
    asked = _asked()
    kinds = KINDS if asked.kind == "mixed" else (asked.kind,)
    began, before = time.perf_counter(), machine()
    with tempfile.TemporaryDirectory(prefix="lavoir-contend-") as folder:
        if asked.http:
            from scripts.bench import contending_http  # it needs servers; the engine does not

            told, faults = contending_http.contended(Path(folder), asked, _bar)
        else:
            told = contended(Path(folder), kinds, asked.attempts, asked.processes, asked.seed, _bar)
            faults = counted(Path(folder), kinds, told, asked.attempts)
    seconds = time.perf_counter() - began
    sums = {name: told.outcomes[name] for name in OUTCOMES}
    figures = {**sums, "attempted": sum(sums.values()), "seconds": round(seconds)}
    if asked.json:
        print(json.dumps({"machine": before, "seed": asked.seed, **figures, "faults": faults}))
    else:
        print("  ".join(f"{name} {value}" for name, value in before.items()), f"seed {asked.seed}")
        print(drawn(("what", "count"), [(name, str(count)) for name, count in figures.items()]))
        print("\n".join(faults) or "Nothing was promised twice, and nothing was lost.")
    return 1 if faults else 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench/contend")
    parser.add_argument("--attempts", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--kind", choices=(*KINDS, "mixed"), default="mixed")
    parser.add_argument("--http", action="store_true")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _bar(pipes: list[Connection], total: int) -> list[Told]:
    """Show how far the processes are until each has told what it did."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    step = max(1, total // LINES)
    with Progress(
        *columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal
    ) as bar:
        task, done = bar.add_task("attempts", total=total), 0

        def advance(count: int) -> None:
            nonlocal done
            bar.advance(task, count)
            if not console.is_terminal and (done + count) // step > done // step:
                print(f"{done + count} of {total} attempts", file=sys.stderr, flush=True)
            done += count

        return collected(pipes, advance)


def collected(pipes: list[Connection], advance: Any = lambda count: None) -> list[Told]:
    """Return what each process told at its end; `advance(count)` hears of each step before."""
    told, open_pipes = [], list(pipes)
    while open_pipes:
        for pipe in multiprocessing.connection.wait(open_pipes):
            try:
                said = pipe.recv()
            except EOFError:
                raise SystemExit("a process ended before it told what it did") from None
            if isinstance(said, int):
                advance(said)
            else:
                told.append(said)
                open_pipes.remove(pipe)
    return told


def contended(
    folder: Path,
    kinds: tuple[str, ...],
    attempts: int,
    processes: int,
    seed: int,
    watch: Any = lambda pipes, total: collected(pipes),
) -> Told:
    """Found a town, let the processes loose in it, and return what they told, put together."""
    town = found(folder, NAME, SystemClock(), (PRACTICE,))
    for kind in kinds:
        for _ in range(THINGS):
            offer(town, **HAS[kind])
    for number in range(MEMBERS):
        town.member(f"m{number}")
    town.database.close()
    share, rest = divmod(attempts, processes)
    orders = [
        Order(str(folder), kinds, share + (number < rest), number, seed)
        for number in range(processes)
    ]
    return together(orders, contend, attempts, watch)


def together(orders: list[Any], work: Any, attempts: int, watch: Any) -> Told:
    """Run one process for each order and return what they told, put together."""
    context = multiprocessing.get_context("spawn")
    pipes, started, start = [], [], context.Barrier(len(orders))
    for order in orders:
        here, there = context.Pipe(duplex=False)
        started.append(context.Process(target=work, args=(order, there, start), daemon=True))
        started[-1].start()
        there.close()
        pipes.append(here)
    total = Told()
    for told in watch(pipes, attempts):
        total.outcomes.update(told.outcomes)
        total.held |= told.held
    for process in started:
        process.join()
    return total


HAS: dict[str, dict[str, Any]] = {
    "days": {"copies": COPIES},
    "seats": {"copies": SEATS},
    "stock": {"stock": {"eggs": STOCK, "milk": STOCK}},
    "sum": {"most": MOST},
    "once": {},
}


def wish(kind: str, draw: random.Random) -> dict[str, str]:
    """Draw what somebody asks for."""
    first = draw.randrange(SLOTS)
    said: dict[str, Any] = {
        "days": {"first": first, "after": first + draw.randint(1, 5)},
        "seats": {"first": first, "after": first + 1, "units": draw.randint(1, 3)},
        "stock": {"lines": f"eggs={draw.randint(0, 3)},milk={draw.randint(1, 2)}"},
        "sum": {"sum": draw.randint(1, 20_00)},
        "once": {"slice": str(draw.randrange(3))},
    }[kind]
    return {name: str(text) for name, text in said.items()}


# ── one process ──────────────────────────────────────────────────────────────────────────────────


def contend(order: Order, pipe: Connection, start: Any) -> None:
    """Ask `order.attempts` times; tell how far it is, and at the end what came of it."""
    town = opened(Path(order.folder), NAME, SystemClock(), (PRACTICE,))
    draw, told = random.Random(f"{order.seed} {order.number}"), Told()
    with using(town.database):
        things = list(listings.Listing.select())
    by_kind = {kind: _of_kind(town, things, kind) for kind in order.kinds}
    start.wait()
    done = 0
    while done < order.attempts:
        kind = draw.choice(order.kinds)
        _ask_once(town, draw.choice(by_kind[kind]), wish(kind, draw), draw, told)
        done += 1
        if done % REPORT_EVERY == 0:
            pipe.send(REPORT_EVERY)
    pipe.send(told)
    town.database.close()


def _of_kind(town: TownHere, things: list[Any], kind: str) -> list[Any]:
    bodies = {each.key: town.engine.ground.body(each) for each in things}
    has = PRACTICE.schema.read({"title": "x", "verb": "avoir", **HAS[kind]})
    return [
        each
        for each in sorted(things, key=lambda each: each.key)
        if (bodies[each.key].copies, bodies[each.key].stock, bodies[each.key].most)
        == (has.copies, has.stock, has.most)
    ]


def _ask_once(
    town: TownHere, listing: Any, said: dict[str, str], draw: random.Random, told: Told
) -> None:
    member = draw.randrange(MEMBERS) + 2  # 1 is the keeper
    try:
        with using(town.database):
            row = town.engine.ask(listing, member, said, draw.randbytes(16))
        told.outcomes["granted"] += 1
        told.held[row.id.hex()] = {"listing": listing.key.hex(), "member": member, **said}
    except StorageRefused:
        told.outcomes["retried"] += 1
    except DomainError as error:
        told.outcomes["refused"] += 1
        if error.code not in ("full", "dup"):
            told.outcomes["other"] += 1
    if draw.random() < GIVEN_BACK and told.held:
        _give_back(town, draw.choice(sorted(told.held)), told)


def _give_back(town: TownHere, which: str, told: Told) -> None:
    for _ in range(50):
        try:
            with using(town.database):
                held = told.held[which]
                town.engine.act(
                    bytes.fromhex(which),
                    "withdraw",
                    member_id=held["member"],
                    role="asker",
                    act_id=secrets.token_bytes(8),
                )
        except StorageRefused:
            continue
        del told.held[which]
        return
    raise SystemExit("the node stayed busy for fifty tries")


# ── counting ─────────────────────────────────────────────────────────────────────────────────────


def counted(folder: Path, kinds: tuple[str, ...], told: Told, attempts: int) -> list[str]:
    """Return what does not add up: nothing, if no promise was made twice and none was lost."""
    sums = {name: told.outcomes[name] for name in OUTCOMES}
    faults = [f"{told.outcomes['other']} were refused for another reason"] * (
        told.outcomes["other"] > 0
    )
    if sum(sums.values()) != attempts:
        faults.append(f"{sums} are not {attempts} attempts")
    town = opened(folder, NAME, SystemClock(), (PRACTICE,))
    with using(town.database):
        promised = rows.Engagement.select().where(rows.Engagement.state == "promised")
        ids = {row.id.hex() for row in promised}
        if ids != set(told.held):
            faults.append(f"{len(ids)} rows are promised, {len(told.held)} were told so")
        for listing in list(listings.Listing.select()):
            faults += _overbooked(town, listing, told)
        found_bad = town.database.execute_sql("PRAGMA integrity_check").fetchall()
        faults += [str(row[0]) for row in found_bad if row[0] != "ok"]
        faults += [str(row) for row in town.database.execute_sql("PRAGMA foreign_key_check")]
    town.database.close()
    return faults


def _overbooked(town: TownHere, listing: Any, told: Told) -> list[str]:
    """What is wrong with one listing: more than there is, or not what was told."""
    body = town.engine.ground.body(listing)
    most = {**body.stock, "": body.most}
    slots: Counter[int] = Counter()
    lines: Counter[str] = Counter()
    said: Counter[tuple[str, int]] = Counter()
    for which, held in told.held.items():
        if held["listing"] == listing.key.hex():
            mine = capacity.held_by(bytes.fromhex(which))
            slots.update(slot for _, slot in mine.pairs)
            lines.update(mine.lines)
            said.update((name, held["member"]) for name in mine.slices)
    name = listing.key.hex()[:8]
    faults = [f"{name}: {slots[at]} in slot {at}" for at in slots if slots[at] > body.copies]
    faults += [f"{name}: {lines[each]} of {each}" for each in lines if lines[each] > most[each]]
    faults += [f"{name}: {each} twice" for each, count in said.items() if count > 1]
    tallied = {each: units for each, units in tallies.held(*_place(listing)).items() if units}
    if not tallied == +lines == tallies.recomputed(*_place(listing)):
        faults.append(f"{name}: tally {tallied}, rows {dict(lines)}")
    return faults


def _place(listing: Any) -> tuple[bytes, bytes]:
    return bytes(listing.origin), bytes(listing.key)


if __name__ == "__main__":
    sys.exit(main())
