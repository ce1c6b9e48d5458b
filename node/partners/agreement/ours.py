"""Our side of an agreement: we write a text, agree to theirs, let members ask, and end the link.

Each is one signed statement; a text counts once the other side has signed that it agrees.
"""

from typing import Any

from node.domain.agreement import Text, mirrored, says_the_same
from node.domain.errors import Conflict, Invalid, Problem
from node.domain.words import N_
from node.partners.agreement import force, wire
from node.store import audit, marks
from node.store.database import write_tx
from node.store.network import agreements, partners, towns
from node.store.network.agreements import Agreement


def write(town: Any, partner: bytes, text: Text, by: str = "", member: int | None = None) -> None:
    """Sign a text of ours; it takes effect once they agree to it.

    Raises Conflict("not_paired", "no_seal_key", "clock", "restoring"), Invalid (too long).
    """
    with write_tx():
        _check_linked(partner)
        row = agreements.find(partner)
        number = _next_number(town, row)
        try:
            raw = wire.written(text, number)
        except ValueError:
            problem = Problem("note", "too_long", N_("That is too long. Say it shorter."))
            raise Invalid([problem]) from None
        agreements.save(partner, ours=raw, number=number)
        publish(town, partner)
        _note(town, "agreement.write", partner, by, member)


def agree(
    town: Any, partner: bytes, digest: bytes, by: str = "", member: int | None = None
) -> None:
    """Sign that we agree to the text of theirs with this digest: ours says the same from our side.

    Where it said so before, it stays as it is. Raises Conflict("stale") when their text is another
    by now, and as `write`.
    """
    with write_tx():
        _check_linked(partner)
        row = agreements.find(partner)
        if row is None or row.theirs is None or wire.digest(row.theirs) != digest:
            message = N_("They have written something else in the meantime. Please read it again.")
            raise Conflict("stale", message)
        number = _next_number(town, row)
        raw, theirs = row.ours, wire.read_text(row.theirs)[0]
        if raw is None or not says_the_same(wire.read_text(raw)[0], theirs):
            contact = wire.read_text(raw)[0].contact if raw else town.config.contact
            raw = wire.written(mirrored(theirs, contact), number)
        agreements.save(partner, ours=raw, accepts=digest, number=number)
        force.settle(town.id, partner)
        publish(town, partner)
        _note(town, "agreement.agree", partner, by, member)


def end(town: Any, partner: bytes) -> bool:
    """Sign that the link ends; return whether that could be signed and sealed.

    Raises Conflict("clock", "restoring"): then nothing was changed.
    """
    with write_tx():
        row = agreements.find(partner)
        number = _next_number(town, row)
        agreements.save(partner, number=number, ended_ms=town.clock.now_ms())
        try:
            publish(town, partner)
        except Conflict as error:
            if error.code != "no_seal_key":
                raise
            return False
    return True


def publish(town: Any, partner: bytes) -> None:
    """Sign and seal what we say now; the same number says the same again."""
    row = agreements.find(partner)
    key = wire.register_key(town.id, partner)
    _remember(town.id, row)
    inner = wire.inner(key, marks.number(marks.RESTORED_S), statement(row))
    town.journal.publish_sealed(wire.KIND, inner, to=partner, key=key)
    card = towns.find(partner)
    agreements.save(partner, sealed_to=card.hpke if card else None)


def statement(row: Agreement) -> wire.Statement:
    """Return all our side says; once ended, no more than that."""
    if row.ended_ms is not None:
        return wire.Statement(row.number, ended_ms=row.ended_ms)
    is_agreed = row.force_ours is not None and row.force_theirs is not None
    return wire.Statement(
        number=row.number,
        text=row.ours,
        accepts=row.accepts,
        force=(row.force_ours, row.force_theirs) if is_agreed else None,
        version=row.version,
    )


def _remember(own: bytes, row: Agreement) -> None:
    """Keep which pair of texts we put our name to: they may agree to it after we wrote anew."""
    is_whole = row.ours is not None and row.theirs is not None
    if is_whole and wire.digest(row.theirs) == row.accepts:
        force.remember(own, row)


def _check_linked(partner: bytes) -> None:
    held = partners.find(partner)
    if held is None or held.status != "active":
        raise Conflict("not_paired", N_("Only a confirmed partner can be agreed with."))


def _next_number(town: Any, row: Agreement | None) -> int:
    return max(town.clock.now_ms(), (row.number if row is not None else 0) + 1)


def _note(town: Any, action: str, partner: bytes, by: str, member: int | None) -> None:
    now_ms = town.clock.now_ms()
    audit.note(action, at_ms=now_ms, actor=by, member=member, subject=partner.hex())
