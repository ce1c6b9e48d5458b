"""The reasons: what each code of the protocol means, in a volunteer's words: one table.

code: what happened; what is safe meanwhile; what to do, which is often nothing. One part for
records that were kept out or must wait, one for how an exchange ended; SPEC.md section 14 has the
codes. An entry may be the first sentence alone: the other two are then those of its part.
"""

from typing import NamedTuple

from node.domain.words import N_


class Reason(NamedTuple):
    """Three message ids: what happened, what is safe, what to do."""

    what: str
    safe: str = ""
    do: str = ""


NOTHING = N_("Nothing to do.")
_OTHERS_TAKEN = N_("Only this was kept out; everything else was taken.")
_TELL = N_("Nothing to do, unless it goes on: then tell that town's volunteers.")
_CALL = N_("Call that town's volunteers.")
_KEYS_PAGE = N_("Call its volunteers, then choose on the page of its keys.")
_UPDATE = N_("Bring this node up to date when you can.")
_TRIES = N_("Nothing to do: we try again by ourselves.")
_STAYS = N_("What was exchanged before stays; what waits here leaves by itself.")
_HELD = N_("What we hold of it stays readable; nothing new of it is taken.")
_ASKED_AGAIN = N_("Nothing is lost: it is asked for again at every exchange.")

_TORN = N_("It arrived damaged, or was made by a faulty program.")
_FORGED = N_("It is not signed by the town it names: damaged on the way, or forged.")
_KEYS = N_("It is signed with keys we do not know (yet).")
_SEAL = N_("It was sealed for another key or another town; it cannot be opened here.")
_COPIES = N_("Tell that town: two copies of its server may be running.")
_WORD = N_("What a town says of all it has does not hold; its records are checked one by one.")
_NEWER = N_("It is of a kind only a newer version of Lavoir knows.")
_FORM = N_("It breaks a rule of its own kind.")

REFUSED: dict[str, str | Reason] = {
    "bad_cbor": _TORN,
    "bad_cose": _TORN,
    "too_big": N_("It is larger than a record may be."),
    "bad_type": Reason(_NEWER, do=_UPDATE),
    "bad_field": _FORM,
    "bad_stamp": N_("Its date is impossible: that town's clock is wrong."),
    "bad_expiry": N_("It would live longer than a record may."),
    "bad_scope": Reason(_NEWER, do=_UPDATE),
    "bad_addressee": _FORM,
    "bad_kind": _FORM,
    "bad_state": _FORM,
    "bad_body": _FORM,
    "bad_crit": _FORM,
    "bad_keyset": _KEYS,
    "broken_chain": Reason(
        N_("Its keys do not follow from the keys we know."), _HELD, _CALL
    ),
    "keyset_equivocation": Reason(
        N_("That town signed two different sets of keys."), _HELD, _KEYS_PAGE
    ),
    "bad_checkpoint": _WORD,
    "bad_runs": _WORD,
    "stale_checkpoint": _WORD,
    "checkpoint_equivocation": Reason(
        N_("That town said two different things of itself at one moment."),
        N_("Its word vouches for nothing now: each record is checked by itself."),
        _COPIES,
    ),
    "torn": Reason(_TORN, N_("What came before the tear was taken."), N_("Copy the file again.")),
    "bad_seal": _SEAL,
    "not_readable": _SEAL,
    "bad_inner": _TORN,
    "not_yours": N_("What is inside the seal speaks for another town."),
    "not_accepted": Reason(N_("It comes from a town that is no partner of ours."), do=NOTHING),
    "frozen": Reason(
        N_("That town signed two different sets of keys."), _HELD, _KEYS_PAGE
    ),
    "over_quota": Reason(
        N_("That town sends more than one town may keep here."),
        N_("What it brought so far is here, and the other towns are not touched."),
        N_("Nothing to do: the rest is asked for again tomorrow."),
    ),
    "unknown_keyset": Reason(_KEYS, _ASKED_AGAIN, NOTHING),
    "keyset_retired": Reason(
        N_("It is signed with keys that were replaced."),
        N_("That town signs everything in life again; the new one comes by itself."),
        NOTHING,
    ),
    "bad_signature": Reason(
        _FORGED,
        N_("A false record is never shown; the true one comes from whoever has it."),
        N_("Nothing to do, unless it goes on: then the partner who brought it must look at it."),
    ),
    "expires_early": N_("It would end before what it replaces."),
    "quarantined": Reason(
        N_("Its date lies ahead of our clock; it is taken once that day has come."),
        _ASKED_AGAIN,
        N_("Check the clock of both servers; else nothing to do."),
    ),
    "equivocation": Reason(
        N_("That town signed two records with one date; one of them wins everywhere."),
        N_("All towns show the same one."),
        _COPIES,
    ),
    "internal": Reason(
        N_("Our own program stumbled over it: it is left out for now."),
        do=N_("Give this code to whoever looks after Lavoir; an update mends it."),
    ),
    "invalid": _FORM,
    "unknown_practice": Reason(_NEWER, do=_UPDATE),
}  # fmt: skip

_OUT = N_("Nobody answered: its server or the network is off.")
_SLOW = N_("It answered too slowly.")
_ODD = N_("What it answered is not our protocol.")
_UNSIGNED = N_("The signature of its answer does not hold.")
_UNTRUE = Reason(_UNSIGNED, N_("Nothing of that answer was taken."), _TELL)
_ADDRESS = N_("Ask that town for its right address, then link it again.")
_CLOCK = N_("Check the clock of both servers.")

OUTCOMES: dict[str, str | Reason] = {
    "ok": Reason(N_("Done"), N_("Both towns hold the same."), NOTHING),
    "open": N_("Under way, or stopped in the middle"),
    "unreachable": _OUT,
    "timeout": _SLOW,
    "too_many_rounds": _SLOW,
    "http_status": N_("Its server answered with an error."),
    "garbage": Reason(_ODD, do=_TELL),
    "bad_message": Reason(_ODD, do=_TELL),
    "bad_range": Reason(_ODD, do=_TELL),
    "bad_cbor": Reason(_ODD, do=_TELL),
    "content_encoding": Reason(_ODD, do=_TELL),
    "no_progress": Reason(_ODD, do=_TELL),
    "not_shown": Reason(
        N_("It showed us what is not its to show."), N_("We took nothing of it."), _CALL
    ),
    "undelivered": Reason(N_("It announced records and did not bring them."), do=_TELL),
    "unanswered": N_("It did not say what it did with what we sent."),
    "too_large": Reason(N_("It sent more than one answer may hold."), do=_TELL),
    "bad_digest": _UNTRUE,
    "bad_request_signature": _UNTRUE,
    "not_signed": _UNTRUE,
    "bad_signature": _UNTRUE,
    "too_many_bad_signatures": Reason(
        N_("It brought too many records with a false signature."),
        N_("The exchange was ended there; the good ones before it were taken."),
        _TELL,
    ),
    "stale_nonce": N_("The two servers lost count of each other; the next try mends it."),
    "unknown_peer": Reason(
        N_("It does not know our town, or has not confirmed the words yet."), do=_CALL
    ),
    "not_confirmed": N_("Its admin has not confirmed the six words yet."),
    "frozen": Reason(
        N_("It holds two sets of keys of our town with one number, and waits for its volunteers."),
        N_("What it has of us stays; nothing new is taken until they have chosen."),
        N_("Call them and read them the first signs of our key: the desk's page of keys has them."),
    ),
    "keyset_equivocation": Reason(
        N_("That town signed two different sets of keys."), _HELD, _KEYS_PAGE
    ),
    "broken_chain": Reason(
        N_("Its keys do not follow from the keys we know."), _HELD, _CALL
    ),
    "not_found": Reason(N_("There is no Lavoir at its address."), do=_ADDRESS),
    "bad_as_of": Reason(N_("Its clock or ours is wrong by more than a day."), do=_CLOCK),
    "rate_limited": Reason(
        N_("It asked us to come back later."), do=N_("Nothing to do: we wait as long as it asks.")
    ),
    "bad_address": Reason(N_("Its address cannot be one of a Lavoir."), do=_ADDRESS),
    "private_address": Reason(
        N_("Its address is on a local network; say so if that is meant."), do=_ADDRESS
    ),
    "bad_certificate": Reason(
        N_("Its certificate does not hold: self-made, out of date, or another's."),
        N_("Nothing was sent. What towns exchange is signed anyway, with or without it."),
        N_("Check the clock of both servers; ask that town to renew it, or for its http address."),
    ),
    "redirect": Reason(N_("Its address leads elsewhere; ask for the new one."), do=_ADDRESS),
    "unasked": Reason(N_("It brought records nobody asked for."), N_("They were not read."), _TELL),
    "storage": Reason(
        N_("Our own disk could not be written to."),
        N_("Nothing was half written."),
        N_("Make room on our disk, or have it looked at."),
    ),
}  # fmt: skip
OTHER = N_("Another reason; give this code to whoever helps you.")


def refused(code: str) -> str:
    """Return the message id that tells why a record was refused."""
    return refusal(code).what


def outcome(code: str) -> str:
    """Return the message id that tells how an exchange ended."""
    return ending(code).what


def refusal(code: str) -> Reason:
    """Return the three sentences about a record that was kept out or must wait."""
    return _whole(REFUSED.get(code, OTHER), _OTHERS_TAKEN, _TELL)


def ending(code: str) -> Reason:
    """Return the three sentences about how an exchange ended."""
    return _whole(OUTCOMES.get(code) or REFUSED.get(code, OTHER), _STAYS, _TRIES)


def _whole(said: str | Reason, safe: str, do: str) -> Reason:
    reason = Reason(said) if isinstance(said, str) else said
    return reason._replace(safe=reason.safe or safe, do=reason.do or do)
