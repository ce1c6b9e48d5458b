"""The errors of the protocol: whose fault it is, and one code that any language can compare.

    ProtocolError
    ├── LocalProtocolError     our bug or our caller's: raise loudly, never send
    └── RemoteProtocolError    the other end's: count it, show its code, answer with its status

Every code stands in CODES with its English sentence (SPEC.md section 14); no other is raised.
"""

from __future__ import annotations

from typing import Final

CODES: Final[dict[str, str]] = {
    # bytes
    "bad_cbor": "The bytes are not CBOR in the one form the protocol allows.",
    "bad_cose": "The bytes are not a COSE_Sign1 in the one form the protocol allows.",
    "too_big": "The structure is larger than its limit.",
    # record
    "bad_type": "The type constant inside is another structure's.",
    "bad_field": "A field is missing or of the wrong form.",
    "bad_stamp": "The stamp lies outside the years a stamp can name.",
    "bad_expiry": "The record ends before it begins or lives longer than allowed.",
    "bad_scope": "The scope is none of public, partners, sealed.",
    "bad_addressee": "A sealed record names its addressee, every other record names none.",
    "bad_kind": "The kind is not of the form name/version, or is reserved.",
    "bad_state": "The state is neither live nor tombstone.",
    "bad_body": "A live record has a body and a tombstone has none.",
    "bad_crit": "The list of critical fields is not sorted, or names a field that is not there.",
    # keys, keysets, pairing
    "bad_public_key": "The public key is not one that can be trusted.",
    "bad_keyset": "The keyset breaks a rule of its own.",
    "broken_chain": "The keyset does not belong to that genesis keyset.",
    "keyset_equivocation": "Two different keysets carry one number.",
    "bad_words": "The recovery words are not the ones that were printed.",
    "bad_invitation": "The invitation is malformed, used, too old or another one.",
    # sealing
    "bad_seal": "The sealed body is torn, or was sealed for another place.",
    "not_readable": "The sealed body was not sealed for any key held here.",
    "bad_inner": "The message inside the seal breaks a rule of its own.",
    "not_yours": "The message inside the seal is signed for another sender, addressee or kind.",
    "torn": "The stream ends before its last chunk: the rest was cut off.",
    # admission
    "not_accepted": "The origin is no partner and no town accepted here.",
    "frozen": "The origin signed two keysets with one number, and waits for its admin.",
    "over_quota": "The origin holds as much here as one origin may.",
    "unknown_keyset": "The keyset that should have signed is not known here.",
    "keyset_retired": "The keyset that signed was replaced and its time has passed.",
    "bad_signature": "The signature is not the one of the key it names.",
    "expires_early": "The record would end before the one it replaces.",
    # checkpoints
    "bad_checkpoint": "The checkpoint contradicts itself.",
    "bad_runs": "The run list is not the one the checkpoint names, or breaks a rule of its own.",
    "stale_checkpoint": "The checkpoint is too old, or too far ahead, to vouch for anything.",
    "checkpoint_equivocation": "The origin signed two checkpoints of one set with one stamp.",
    # reconciliation, messages, HTTP
    "bad_range": "The reconciliation message is torn or breaks Negentropy V1.",
    "bad_message": "The message is not one this endpoint understands.",
    "bad_digest": "The body is not the one the digest names.",
    "bad_request_signature": "The HTTP signature is missing, malformed or another town's.",
    "not_signed": "The answer carries no signature of the town that was asked.",
    "stale_nonce": "The nonce was used, has expired or was never given.",
    "unknown_peer": "That town is not a partner here.",
    "not_found": "There is nothing at that address.",
    "not_shown": "That set is not shown to this peer.",
    "bad_as_of": "The two clocks differ by more than a day.",
    "no_progress": "The rounds no longer shrink the difference.",
    "too_large": "The message is larger than one message may be.",
    "too_many_rounds": "The visit took more rounds or time than one visit may.",
    "too_many_bad_signatures": "The visit brought too many bad signatures.",
    "undelivered": "Records that were listed were not brought when asked for.",
    "unanswered": "The host gave no verdict on a record it was sent.",
    "rate_limited": "Too many requests: come back later.",
    "bad_address": "The address is not one a node can be asked at.",
    "private_address": "The address lies in a private network, and nobody said it is ours.",
    "bad_certificate": "The certificate of the other node does not hold for its name today.",
    "redirect": "The other node sends us elsewhere, and nobody here follows.",
    "content_encoding": "The answer is compressed, which this protocol never is.",
    "http_status": "The other node answered with an HTTP status alone.",
    "unreachable": "The other node could not be reached.",
    "timeout": "The other node took too long to answer.",
    "garbage": "The other node answered something that is not this protocol.",
}


class ProtocolError(Exception):
    """A rule of the protocol was broken; `code` says which (a key of CODES), `detail` where."""

    def __init__(self, code: str, detail: str = "") -> None:
        self.code = code
        self.detail = detail
        sentence = CODES.get(code, code)
        super().__init__(f"{code}: {sentence} {detail}".rstrip())


class LocalProtocolError(ProtocolError):
    """This side tried to do what the protocol forbids."""


class RemoteProtocolError(ProtocolError):
    """The other side did what the protocol forbids; `status_hint` is the HTTP status to answer.

    `wait_s`: how many seconds it asked to be left alone, 0 if it did not.
    """

    def __init__(
        self, code: str, detail: str = "", status_hint: int = 400, wait_s: int = 0
    ) -> None:
        super().__init__(code, detail)
        self.status_hint = status_hint
        self.wait_s = wait_s
