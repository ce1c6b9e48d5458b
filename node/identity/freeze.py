"""The freeze: a town that signed two keysets with one number is believed again once people spoke.

Nothing of it is admitted or shown meanwhile (SPEC 3.1). Both admins read the beginning of the two
digests to each other; ours chooses the one the other town calls its own, or ends the link.
"""

from dataclasses import dataclass

from federation.keyset import Keyset, compromised
from node.domain.clock import Clock
from node.domain.errors import Conflict, NotFound
from node.domain.words import N_
from node.store import audit
from node.store.database import write_tx
from node.store.network import partners
from node.store.sets import foreign, keysets, memory, origins, record_store, rivals

DIGEST_SHOWN = 12  # hex digits read aloud


@dataclass(frozen=True)
class Choice:
    """One number that several keysets of a town carry; `held` is the one that came first."""

    number: int
    held: Keyset
    others: tuple[Keyset, ...]

    @property
    def all(self) -> tuple[Keyset, ...]:
        """Return every keyset that may be chosen, the held one first."""
        return (self.held, *self.others)


def frozen() -> set[bytes]:
    """Return the towns that are frozen here."""
    return origins.frozen_towns()


def choices(town: bytes) -> list[Choice]:
    """Return what is to be decided about a town, by number; nothing for one that is sound."""
    held = {each.number: each for each in keysets.of_town(town)}
    found: dict[int, list[Keyset]] = {}
    for rival in rivals.open_of(town):
        found.setdefault(rival.number, []).append(rival)
    return [
        Choice(number, held[number], tuple(others))
        for number, others in sorted(found.items())
        if number in held
    ]


def unfreeze(town: bytes, digest: str, clock: Clock, *, by: str, member: int | None = None) -> bool:
    """Believe the keyset whose id begins with `digest`, refuse those with its number for good.

    Returns whether the town is believed again: False while another number waits. Raises
    NotFound("not_frozen", "unknown_keyset").
    """
    with write_tx():
        open_ = choices(town)
        if town not in frozen():
            raise NotFound(
                "not_frozen", N_("This town is not stopped: there is nothing to choose.")
            )
        chosen = _meant(open_, digest) if open_ else None
        if chosen is not None:
            _settle(*chosen)
        is_over = not choices(town)
        if is_over:
            origins.freeze(town, False)
            if partners.find(town) is not None:
                partners.save(town, next_try_ms=0)
        detail = chosen[1].id.hex()[:DIGEST_SHOWN] if chosen else ""
        audit.note(
            "partner.unfreeze",
            at_ms=clock.now_ms(), actor=by, member=member, subject=town.hex(), detail=detail,
        )  # fmt: skip
    return is_over


def _meant(open_: list[Choice], digest: str) -> tuple[Choice, Keyset]:
    wanted = "".join(digest.split()).casefold()
    found = [
        (choice, each)
        for choice in open_
        for each in choice.all
        if wanted and each.id.hex().startswith(wanted)
    ]
    if len(found) > 1:
        raise Conflict("ambiguous", N_("Several sets of keys begin like that; give more of it."))
    if not found:
        raise NotFound("unknown_keyset", N_("None of the sets of keys begins like that."))
    return found[0]


def _settle(choice: Choice, keep: Keyset) -> None:
    """Put `keep` in force and its rivals away, with what they signed."""
    for each in choice.all:
        if each.id != keep.id:
            rivals.keep(each, rivals.REFUSED)
    rivals.forget(keep.id)
    if keep.id == choice.held.id:
        return
    record_store.disown(foreign.under(keep.town, [keep.number]))
    keysets.forget(choice.held.id)
    keysets.keep(keep)
    record_store.distrust(keep.town, compromised(keysets.of_town(keep.town)))
    for code in ("bad_signature", "keyset_retired"):  # what it signed is judged anew
        memory.forget("refused:" + code)
