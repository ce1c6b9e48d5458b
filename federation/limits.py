"""The limits of the protocol, each with its unit, and its endpoints (SPEC.md section 8)."""

from __future__ import annotations

from typing import Final

VERSION: Final = 1

# one request
FRAME_MAX_BYTES: Final = 1024 * 1024  # the body of any request or answer, photos apart
HELLO_MAX_BYTES: Final = 32 * 1024
HELLO_KEYSETS_MAX: Final = 16  # the newest ones: each costs a stranger one check of a signature
FETCH_MAX_IDS: Final = 1_000
PUSH_MAX_RECORDS: Final = 1_000
SETS_PER_REQUEST_MAX: Final = 64
ORIGINS_MAX: Final = 1_000  # towns in one summary
KEYSETS_PER_REQUEST_MAX: Final = 500
KEYSETS_PER_TOWN_MAX: Final = 64
INTRODUCTIONS_MAX: Final = 100
PHOTO_MAX_BYTES: Final = 4 * 1024 * 1024
CHECKPOINTS_MAX: Final = 1_000  # in one message
GAPS_MAX_IDS: Final = 1_000  # named in one page of a range
NEWS_MAX_RECORDS: Final = 1_000  # that come with a summary; more are reconciled
TOKEN_BYTES: Final = 32

# one visit
ROUNDS_MAX: Final = 64  # reconcile requests
IDLE_ROUNDS_MAX: Final = 6  # rounds in a row that find no id: honest ends need four
SESSION_MAX_MS: Final = 10 * 60 * 1_000
WANTED_MAX_IDS: Final = 50_000  # missing here, of one origin: its cap, tombstones and slack
UNDELIVERED_MAX_IDS: Final = 1_000  # asked for and not brought, before the rest is left
BAD_SIGNATURES_MAX: Final = 20
RANGE_ABOVE_RECORDS: Final = 512  # missing of one set: fewer are fetched by their ids
AS_OF_MAX_DAYS: Final = 1  # between the day a visitor proposes and the host's own

# between visits
NONCE_LIFE_MS: Final = 24 * 3_600 * 1_000
NONCES_PER_PEER: Final = 8  # outstanding at once, so that visits at the same time do not starve

# the endpoints, and the types of what they carry
PREFIX: Final = "/federation/v1/"
HELLO: Final = f"{PREFIX}hello"
SUMMARY: Final = f"{PREFIX}summary"
KEYSETS: Final = f"{PREFIX}keysets"
RECONCILE: Final = f"{PREFIX}reconcile"
FETCH: Final = f"{PREFIX}fetch"
RANGE: Final = f"{PREFIX}range"
PUSH: Final = f"{PREFIX}push"
BLOB: Final = f"{PREFIX}blob/"  # followed by the 64 hex digits of a SHA-256
RUNS: Final = f"{PREFIX}runs/"  # likewise
READ: Final = (BLOB, RUNS)  # asked for by GET, all others by POST

CBOR: Final = "application/cbor"
CBOR_SEQUENCE: Final = "application/cbor-seq"
OCTETS: Final = "application/octet-stream"
