"""How a partner is doing, in plain words: what is wrong, since when, and what to do about it."""

from dataclasses import dataclass
from typing import Any

from node.domain.words import N_
from node.store.network.partners import Partner

SKEW_TOLD_MS = 10 * 60_000

_STRANGE = (
    "garbage", "not_signed", "content_encoding", "not_found", "bad_digest", "bad_cbor",
    "bad_message", "bad_range", "not_shown",
)  # fmt: skip
_CAUSES = {
    "unreachable": N_("It cannot be reached. Its server or its network is probably off."),
    "timeout": N_("It answers too slowly."),
    "http_status": N_("Its server answers with an error."),
    "too_large": N_("It sent more than one answer may hold."),
    **dict.fromkeys(_STRANGE, N_("What it answers is not our protocol.")),
    "unknown_peer": N_("It does not know our town (any more)."),
    "bad_signature": N_("Its answers are signed by a key we do not know. Call them."),
    "bad_request_signature": N_("Its answers are signed by a key we do not know. Call them."),
    "too_many_bad_signatures": N_("It sent too many records with a false signature."),
    "private_address": N_("Its address is on a local network; say so if that is meant."),
    "bad_certificate": N_("Its certificate does not hold: self-made, out of date, or another's."),
    "redirect": N_("Its address leads elsewhere; ask for the new one."),
    "bad_as_of": N_("Its clock or ours is wrong by more than a day."),
    "frozen": N_("It holds two sets of keys of our town and waits for its volunteers. Call them."),
    "rate_limited": N_("It asks us to come back later."),
}
_UNCONFIRMED = N_("Its admin has not confirmed the six words yet.")
_OTHER = N_("The last exchange failed (%(code)s).")


@dataclass(frozen=True)
class Health:
    """One partner's state: `tone` ok, wait or stop; message ids with their values; what to do."""

    tone: str
    word: str
    cause: str = ""
    params: dict[str, Any] | None = None
    advice: str = ""
    since_ms: int | None = None
    next_ms: int | None = None


def of(partner: Partner, now_ms: int) -> Health:
    """Return how a partner is doing now."""
    waiting = {
        "invited": N_("Invited"),
        "words": N_("Words to compare"),
        "introduced": N_("Introduced, readable"),
        "ending": N_("The link is being ended"),
        "removed": N_("No longer a partner"),
    }
    if partner.status in waiting:
        return Health("wait", waiting[partner.status])
    if partner.failures:
        return _failing(partner, now_ms)
    if abs(partner.clock_skew_ms) > SKEW_TOLD_MS:
        return Health("wait", N_("Clocks differ"), advice=N_("Check the clock of both servers."))
    if partner.last_ok_ms is None:
        return Health("wait", N_("No exchange yet"), next_ms=partner.next_try_ms or now_ms)
    return Health("ok", N_("In good health"), next_ms=partner.next_try_ms)


def _failing(partner: Partner, now_ms: int) -> Health:
    cause = _CAUSES.get(partner.last_error, _OTHER)
    if partner.last_error == "unknown_peer" and partner.last_ok_ms is None:
        cause = _UNCONFIRMED
    long_ago = now_ms - (partner.down_since_ms or now_ms) > 24 * 3_600_000
    return Health(
        tone="stop" if long_ago else "wait",
        word=N_("Out of reach"),
        cause=cause,
        params={"code": partner.last_error},
        advice=(
            N_("It has lasted for more than a day: call its association.")
            if long_ago
            else N_("Nothing to do: we try again by ourselves.")
        ),
        since_ms=partner.down_since_ms,
        next_ms=partner.next_try_ms,
    )
