"""How often is too often: one table of limits, counted by hashed address and by account."""

import hmac
import ipaddress
from dataclasses import dataclass, replace

from node.domain.errors import TooMany
from node.domain.words import N_
from node.store import rates as buckets

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


@dataclass(frozen=True)
class Rate:
    """At most `limit` at once, then `limit` per window; `setting` names what may say otherwise."""

    limit: int
    window_ms: int
    setting: str = ""


# A whole library may share one address, so what counts an address is generous; what protects one
# account is strict. Nothing here locks a person out for good: a limit only makes them wait.
RATES = {
    "post": Rate(240, MINUTE_MS),  # forms sent, from one address
    "code_asked": Rate(5, HOUR_MS, "codes_per_hour"),  # codes mailed, to one address of mail
    "code_asked_from": Rate(30, HOUR_MS),  # codes asked for, from one address
    "code_tried": Rate(20, HOUR_MS, "code_tries_per_hour"),  # codes typed, from one address
    # codes typed in all: so high that no stranger uses it up to keep others out, so low that with a
    # hundred codes handed out a guesser with many addresses finds one in 60 years of trying
    "code_tried_anywhere": Rate(20_000, HOUR_MS),
    "password_tried": Rate(10, 15 * MINUTE_MS),  # for one account
    "password_tried_from": Rate(60, HOUR_MS),  # from one address
    "asked": Rate(40, DAY_MS, "asks_per_day"),  # requests made, by one member
    "noted": Rate(400, DAY_MS),  # requests written down for others, by one volunteer
    "named": Rate(20, DAY_MS),  # keepers named, by one member: no way to try out addresses
    "published": Rate(60, DAY_MS, "publications_per_day"),  # listings published, by one member
    "reported": Rate(20, DAY_MS),  # listings reported, by one member
    "reported_from": Rate(10, DAY_MS),  # listings reported by visitors, from one address
    "invited": Rate(20, DAY_MS),  # invitations made, by one member
    "joined_from": Rate(30, HOUR_MS),  # accounts made by invitation, from one address
    "applied": Rate(5, DAY_MS),  # wishes to become a member, by one person
    "address": Rate(5, HOUR_MS),  # new addresses of mail asked for, by one member
    "api": Rate(120, MINUTE_MS, "api_per_minute"),  # API requests, from one address
}
Table = dict[str, Rate]


def table(settings: object) -> Table:
    """Return RATES with what the settings say otherwise."""
    return {
        purpose: replace(rate, limit=getattr(settings, rate.setting, rate.limit))
        if rate.setting
        else rate
        for purpose, rate in RATES.items()
    }


def take(
    purpose: str, who: str | int, *, secret: bytes, now_ms: int, limits: Table = RATES
) -> None:
    """Count one more `purpose` of `who` (an account, a network address, an address of mail).

    Raises TooMany saying how long to wait, KeyError for a purpose that is not in the table.
    Only the keyed hash of `who` is stored. Inside a transaction that fails, nothing was counted.
    """
    rate = limits[purpose]
    wait_ms = buckets.wait_ms(_key(purpose, who, secret), rate.limit, rate.window_ms, now_ms)
    if wait_ms:
        minutes = -(-wait_ms // MINUTE_MS)
        raise TooMany(
            "too_many", N_("Too many tries. Please wait %(minutes)d min."), minutes=minutes
        )


def network(address: str | None) -> str:
    """Return what stands for a network address: itself, or the /64 one household has in IPv6."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((int(ip), 64), strict=False))
    return str(ip)


def _key(purpose: str, who: str | int, secret: bytes) -> str:
    said = f"rate\0{purpose}\0{who}".encode()
    return f"{purpose} {hmac.digest(secret, said, 'sha256')[:12].hex()}"
