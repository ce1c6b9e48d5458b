"""The condition of a thing when it goes out and comes back: words, what is missing, a photo.

It is noted in the act it belongs to, so that the logbook, a restore and an erasure know it as they
know the act. Only the two sides read it, in the town of the thing: another town gets the words
alone, as the reason of the answer. It is erased KEPT_DAYS after the end.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from node.domain.lifecycle import DAY_MS
from node.domain.schema import tidy
from node.engagements.ground import Ground, read
from node.store.database import write_tx
from node.store.promises import acts
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement

NOTED = "condition"  # the name of it among an act's args
KEPT_DAYS = 60
TEXT_MAX = 500
PARTS_MAX = 40
PART_MAX = 200


@dataclass(frozen=True)
class Condition:
    """What was noted with one act.

    `state` is the one the act led to; `parts` are the accessories that were there, `missing` those
    that were not; `has_deposit` says whether the deposit was taken (or, when it comes back, given
    back); `photo` is the SHA-256 of a private photo, b"" for none.
    """

    act: bytes
    action: str
    at_ms: int
    state: str = ""
    text: str = ""
    parts: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    has_deposit: bool = False
    photo: bytes = b""


class Conditions:
    """What is noted of the things of a town; its database must be current."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def note(self, row: Engagement, act_id: bytes, **said: Any) -> bool:
        """Note the condition of a thing with an act just done (see `note`)."""
        with write_tx():
            return note(row, act_id, **said)

    def of(self, row: Engagement) -> tuple[Condition, ...]:
        """Return what was noted of the thing of an engagement, in the order it happened."""
        return of(row)

    def sweep(self) -> set[bytes]:
        """Erase what was noted long ago; return the private photos still needed, by SHA-256."""
        return sweep(self.ground)


def note(
    row: Engagement,
    act: bytes,
    *,
    text: str = "",
    parts: Iterable[str] = (),
    missing: Iterable[str] = (),
    has_deposit: bool = False,
    photo: bytes = b"",
) -> bool:
    """Note the condition with an act of home's side, once; return whether that is new.

    Call it in the transaction of the act. An act that is not there, or of the asker, has none.
    """
    held = acts.find(row.id, act)
    if held is None or held.by not in ("keeper", "desk") or NOTED in read(held.args):
        return False
    said = {
        "text": tidy(text)[:TEXT_MAX],
        "parts": _named(parts),
        "missing": _named(missing),
        "deposit": has_deposit,
        "photo": photo.hex(),
    }
    acts.annotate(row.id, act, {NOTED: {name: value for name, value in said.items() if value}})
    return True


def of(row: Engagement) -> tuple[Condition, ...]:
    """Return what was noted of a thing, in the order it happened."""
    found = ((act, read(act.args).get(NOTED)) for act in acts.of_engagement(row.id))
    return tuple(_condition(act, said) for act, said in found if said)


def forget(row: Engagement) -> None:
    """Erase what was noted in an engagement; its photos go at the next sweep."""
    for act in acts.of_engagement(row.id):
        if NOTED in read(act.args):
            acts.annotate(row.id, act.id, {NOTED: None})


def forget_of(member: int, limit: int = 1_000_000) -> None:
    """Erase what was noted in everything of a member's that is over (ENGAGEMENTS, Asker erased)."""
    for row in rows.of_member(member, limit=limit):
        if row.final:
            forget(row)


def sweep(ground: Ground) -> set[bytes]:
    """Erase what was noted in engagements long over; return the photos that are still needed.

    The photos are named by SHA-256. Each engagement is a transaction of its own.
    """
    before_ms, needed = ground.now_ms() - KEPT_DAYS * DAY_MS, set()
    for engagement in acts.annotated(NOTED):
        with write_tx():
            row = rows.find(engagement)
            if row is None:
                continue
            if row.final and row.since_ms < before_ms:
                forget(row)
            needed |= {each.photo for each in of(rows.find(engagement)) if each.photo}
    return needed


def _named(parts: Iterable[str]) -> list[str]:
    named = (tidy(each)[:PART_MAX] for each in parts)
    return list(dict.fromkeys(each for each in named if each))[:PARTS_MAX]


def _condition(act: Any, said: Mapping[str, Any]) -> Condition:
    return Condition(
        act=act.id,
        action=act.action,
        at_ms=act.at_ms,
        state=read(act.args).get("state", ""),
        text=said.get("text", ""),
        parts=tuple(said.get("parts", ())),
        missing=tuple(said.get("missing", ())),
        has_deposit=bool(said.get("deposit")),
        photo=bytes.fromhex(said.get("photo", "")),
    )
