"""The recovery of what was promised: from our own logbook, else from what each partner holds of us.

`replay` brings the rows to where the logbook ends. Where that is not all of it the gate stays
closed for each partner until `heard`: its copies of our registers are adopted, what it sent
meanwhile is judged, and everything open is said again under the new `gen` (SPEC 13.3 to 13.5).
"""

import logging
from dataclasses import dataclass, field
from typing import Any

from federation.record import parse
from node.engagements import adoption, capacity, diary, gate
from node.engagements.between.post import publish
from node.engagements.between.registers import REPLY, REQUEST
from node.engagements.ground import Ground, written
from node.journal import restoring
from node.journal.logbook import Line, Logbook, read
from node.store import audit, marks, notices
from node.store.database import write_tx
from node.store.network import partners
from node.store.people import members, sessions
from node.store.promises import (
    acts,
    doubts,
    habilitations,
    keepers,
    messages,
    reminders,
    unlogged,
)
from node.store.promises import engagements as rows
from node.store.sets import records

log = logging.getLogger(__name__)

SETTLED = "gate_settled"  # our restore for which it was decided whether the gate opens at once
KINDS = (REQUEST, REPLY)


# ── from the logbook ─────────────────────────────────────────────────────────────────────────────


@dataclass
class _Told:
    """What a logbook says: the last line of each engagement, how far our stamps went, who left."""

    newest: dict[bytes, Line] = field(default_factory=dict)
    forgotten: list[bytes] = field(default_factory=list)
    stamp: int = 0
    was_gated: bool = False
    is_sound: bool = True

    def take(self, line: Line) -> None:
        """Take one more line in."""
        body = line.body
        if line.kind == diary.STAMP and type(body.get(0)) is int:
            self.stamp = max(self.stamp, body[0])
        elif line.kind == diary.FORGOTTEN and type(body.get(0)) is bytes:
            self.forgotten.append(body[0])
        elif line.kind == diary.KIND and body.keys() >= diary.FIELDS:
            self.stamp, self.was_gated = max(self.stamp, body[diary.STAMP]), body["gated"]
            self.newest[line.about] = line
        elif line.kind in (diary.STAMP, diary.FORGOTTEN, diary.KIND):
            self.is_sound = False  # of another version, maybe


def replay(ground: Ground, logbook: Logbook) -> int:
    """Bring every engagement to the state the logbook says; return how many rows that were.

    Done when a town is opened. Without a restore it is what a power cut took between the line and
    its commit. Doing it twice changes nothing.
    """
    with write_tx():  # so that no other process is between a line and its commit
        standing, logged = logbook.standing(), marks.number(marks.LOGGED)
        restore, told = restoring.state(), _Told()
        if standing.has_begun and (restore or standing.last_group > logged):
            for line in read(logbook.path.parent, ground.journal.keyring.archive):
                told.take(line)
        fresh = [line.body for line in told.newest.values() if line.seq > logged]
        _put_back(ground, fresh)
        _erase_again(told.forgotten)
        is_whole = told.is_sound and not standing.rotten and not told.was_gated
        is_whole = is_whole and standing.last_group >= logged
        if restore and restore.why == restoring.RECOVERED:
            marks.write(gate.KNEW_NOBODY, str(restore.since_ms))
        if restore and not marks.read(gate.REPLAYED).startswith(f"{restore.since_ms} "):
            marks.write(gate.REPLAYED, f"{restore.since_ms} {told.stamp if is_whole else 0}")
        unlogged.forget(each["row"]["id"] for each in fresh)
        marks.write_number(marks.LOGGED, max(standing.last_group, logged))
    if fresh:
        log.warning("%s engagements were brought back from the logbook", len(fresh))
    return len(fresh)


def _put_back(ground: Ground, told: list[dict[str, Any]]) -> None:
    for row in filter(None, [rows.find(each["row"]["id"]) for each in told]):
        capacity.release(row)
    for each in told:
        people = {name: _member(ref) for name, ref in each["people"].items()}
        rows.put(**each["row"], **people)
        listed = [{**act, "member": _member(act["member"])} for act in each["acts"]]
        acts.put_all(each["row"]["id"], listed)
        said = [{**one, "member": _member(one["member"])} for one in each.get("messages", ())]
        messages.put_all(each["row"]["id"], said)
        reminders.put_all(each["row"]["id"], each.get("reminders", ()))
    for each in told:
        row = rows.find(each["row"]["id"])
        if not capacity.put_back(row, each):
            _doubt(ground, row, doubts.COLLIDES)
        had_account = each["people"]["asker"] is not None  # else written down for a name
        if had_account and row.asker is None and row.asker_town == ground.town and not row.final:
            _doubt(ground, row, doubts.MEMBERLESS)


def _erase_again(refs: list[bytes]) -> None:
    """Erase the people a backup still knew; what they asked for was blanked by the lines before."""
    for ref in refs:
        held = members.by_ref(ref)
        if held is not None:
            sessions.end_all(held.id)
            notices.forget_member(held.id)
            audit.forget_member(held.id)
            keepers.forget_member(held.id)
            habilitations.forget_member(held.id)
            members.erase(held.id)


def _member(ref: bytes | None) -> int | None:
    held = members.by_ref(ref) if ref else None
    return int(held.id) if held is not None else None


def _doubt(ground: Ground, row: Any, code: str) -> None:
    town = row.home if row.home != ground.town else row.asker_town
    doubts.raise_about(row.id, code, town, written({"state": row.state}), ground.now_ms())


def settle(ground: Ground) -> bool:
    """Decide, once after each restore, whether the logbook is enough; return whether it was.

    It is when it was whole and none of our sealed records that came home is newer than its end.
    """
    gen = marks.number(marks.RESTORED_S)
    if restoring.is_restoring() or not gen or marks.number(SETTLED) == gen:
        return False
    with write_tx():
        stamp = gate.reached_stamp()
        is_whole = stamp > 0 and not any(
            record.stamp > stamp for kind in KINDS for record in records.walk(ground.town, kind)
        )
        marks.forget(gate.REPLAYED)
        marks.write_number(SETTLED, gen)
        if is_whole:
            marks.write_number(gate.OPEN_FOR, gen)
            sharing = {row.home for row in _unburied()} | {row.asker_town for row in _unburied()}
            for town in sharing | {each.town for each in partners.listed(*partners.LINKED)}:
                listen(ground, town)  # what came while we were in restore mode was only kept
            for town in sharing:
                say_again(ground, town)
    return is_whole


def _unburied() -> list[Any]:
    return [row for row in rows.between_towns() if row.request_key or row.reply_key]


# ── from a partner ───────────────────────────────────────────────────────────────────────────────


def heard(ground: Ground, town: bytes, gen: int) -> int:
    """Adopt what a partner holds of ours after a whole visit that began under `gen`, once.

    Then what it sent is judged and applied, the gate opens for it and all is said again. Returns
    how many of our registers were looked at.
    """
    settle(ground)
    with write_tx():
        is_of_now = not restoring.is_restoring() and gen == marks.number(marks.RESTORED_S)
        return _let_through(ground, town) if is_of_now and gate.is_unheard(town) else 0


def open_by_hand(ground: Ground, town: bytes, by: str, member: int | None = None) -> bool:
    """Open the gate for a partner that cannot be heard; `by` is in the audit with its name.

    It is still told nothing before it is heard: what it then brings is adopted where there is
    room, else it is in doubt. Returns whether the gate was closed. Raises NotYet in restore mode.
    """
    if restoring.is_restoring():
        raise gate.NotYet(town)
    settle(ground)
    with write_tx():
        if not gate.is_closed(town):
            return False
        gate.open_for(town, ground.now_ms(), by=by, member=member)
        _judge_what_waited(ground, town)
    return True


def _let_through(ground: Ground, town: bytes) -> int:
    adopted = adoption.adopt_all(ground, town)
    gate.open_for(town, ground.now_ms())
    listen(ground, town)
    say_again(ground, town)
    _judge_what_waited(ground, town)
    return adopted


def _judge_what_waited(ground: Ground, town: bytes) -> None:
    """Once the last gate is open: acts of those heard before that wanted a place of ours."""
    if not gate.closed():
        for waiting in partners.listed(*partners.LINKED):
            if waiting.town != town:
                listen(ground, waiting.town)


def listen(ground: Ground, town: bytes) -> None:
    """Judge and apply what is stored of a town, as if it came now."""
    for kind in KINDS:
        for record in records.walk(town, kind):
            if record.to == ground.town:
                ground.journal.tell(parse(record.raw))


def say_again(ground: Ground, town: bytes) -> None:
    """Sign every register between us and a town again, under the `gen` of now."""
    for row in rows.with_town(town, only_open=False):
        if (row.reply_key if ground.decides(row) else row.request_key) is not None:
            if ground.decides(row):
                rows.change(row.id, gen=marks.number(marks.RESTORED_S))
            publish(ground, row)


def came_home(ground: Ground, record: Any, message: dict[int, Any] | None) -> None:
    """Meet a register of ours that this node lacked: adopt what may be, and say ours again.

    Until its addressee was heard it is only kept (journal handler of our own registers).
    """
    if gate.is_unheard(record.to) or message is None:
        return
    row = adoption.adopt_late(ground, record, message)
    if row is not None:
        publish(ground, row)
