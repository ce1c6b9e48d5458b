"""The reasons: what each code of the protocol means, in a volunteer's words.

One table for what was refused, one for how an exchange ended; SPEC.md section 14 has the codes.
"""

from node.domain.words import N_

_TORN = N_("It arrived damaged, or was made by a faulty program.")
_FORGED = N_("It is not signed by the town it names: damaged on the way, or forged.")
_KEYS = N_("It is signed with keys we do not know (yet).")
_SEAL = N_("It was sealed for another key or another town; it cannot be opened here.")
_NEWER = N_("It is of a kind only a newer version of Lavoir knows.")
_FORM = N_("It breaks a rule of its own kind.")

REFUSED = {
    "bad_cbor": _TORN,
    "bad_cose": _TORN,
    "too_big": N_("It is larger than a record may be."),
    "bad_type": _TORN,
    "bad_field": _FORM,
    "bad_stamp": N_("Its date is impossible: that town's clock is wrong."),
    "bad_expiry": N_("It would live longer than a record may."),
    "bad_scope": _FORM,
    "bad_addressee": _FORM,
    "bad_kind": _FORM,
    "bad_state": _FORM,
    "bad_body": _FORM,
    "bad_crit": _FORM,
    "bad_keyset": _KEYS,
    "broken_chain": N_("Its keys do not follow from the keys we know. Call that town."),
    "keyset_equivocation": N_("That town signed two different sets of keys. Call it."),
    "bad_seal": _SEAL,
    "not_readable": _SEAL,
    "bad_inner": _TORN,
    "not_yours": N_("What is inside the seal speaks for another town."),
    "not_accepted": N_("It comes from a town that is no partner of ours."),
    "frozen": N_("That town signed two sets of keys: compare the words first."),
    "over_quota": N_("That town sends more than one town may keep here."),
    "unknown_keyset": _KEYS,
    "keyset_retired": N_("It is signed with keys that were replaced."),
    "bad_signature": _FORGED,
    "expires_early": N_("It would end before what it replaces."),
    "quarantined": N_("Its date lies ahead of our clock; it is taken once that day has come."),
    "equivocation": N_("That town signed two records with one date; one of them wins everywhere."),
    "invalid": _FORM,
    "unknown_practice": _NEWER,
}  # fmt: skip

_OUT = N_("Nobody answered: its server or the network is off.")
_SLOW = N_("It answered too slowly.")
_ODD = N_("What it answered is not our protocol.")
_UNSIGNED = N_("The signature of its answer does not hold.")

OUTCOMES = {
    "ok": N_("Done"),
    "open": N_("Under way, or stopped in the middle"),
    "unreachable": _OUT,
    "timeout": _SLOW,
    "too_many_rounds": _SLOW,
    "http_status": N_("Its server answered with an error."),
    "garbage": _ODD,
    "bad_message": _ODD,
    "bad_range": _ODD,
    "bad_cbor": _ODD,
    "content_encoding": _ODD,
    "no_progress": _ODD,
    "undelivered": N_("It announced records and did not bring them."),
    "unanswered": N_("It did not say what it did with what we sent."),
    "too_large": N_("It sent more than one answer may hold."),
    "bad_digest": _UNSIGNED,
    "bad_request_signature": _UNSIGNED,
    "not_signed": _UNSIGNED,
    "bad_signature": _UNSIGNED,
    "too_many_bad_signatures": N_("It brought too many records with a false signature."),
    "stale_nonce": N_("The two servers lost count of each other; the next try mends it."),
    "unknown_peer": N_("It does not know our town, or has not confirmed the words yet."),
    "not_confirmed": N_("Its admin has not confirmed the six words yet."),
    "frozen": N_("It signed two sets of keys: compare the words before going on."),
    "keyset_equivocation": N_("It signed two sets of keys: compare the words before going on."),
    "broken_chain": N_("Its keys do not follow from the keys we know. Call that town."),
    "not_found": N_("There is no Lavoir at its address."),
    "bad_as_of": N_("Its clock or ours is wrong by more than a day."),
    "rate_limited": N_("It asked us to come back later."),
    "bad_address": N_("Its address cannot be one of a Lavoir."),
    "private_address": N_("Its address is on a local network; say so if that is meant."),
    "redirect": N_("Its address leads elsewhere; ask for the new one."),
    "storage": N_("Our own disk could not be written to."),
}  # fmt: skip
OTHER = N_("Another reason; give this code to whoever helps you.")


def refused(code: str) -> str:
    """Return the message id that tells why a record was refused."""
    return REFUSED.get(code, OTHER)


def outcome(code: str) -> str:
    """Return the message id that tells how an exchange ended."""
    return OUTCOMES.get(code) or REFUSED.get(code, OTHER)
