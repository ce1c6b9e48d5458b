"""The signature of one HTTP exchange: one fixed profile of RFC 9421, both ways (SPEC.md section 9).

    request   "@method" "@path" "@query" "content-digest" "content-type" "lavoir-to"
    response  "@status" "content-digest" "signature";req
    both      created, nonce, keyid (the signer's town id), alg="ed25519", tag="lavoir-sync-1"

Only exactly this form is read. A request is fresh by a nonce its receiver gave out; the nonce of a
response is the one for the next request. Clocks are not compared: `created` is only reported.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from federation import keys
from federation.errors import RemoteProtocolError
from federation.keys import SigningKey

TAG: Final = "lavoir-sync-1"
LABEL: Final = "lavoir"
NONCE_BYTES: Final = 16
CREATED_MAX_S: Final = 10**12
UNAUTHORIZED: Final = 401

_REQUEST_COVERS: Final = '("@method" "@path" "@query" "content-digest" "content-type" "lavoir-to")'
_RESPONSE_COVERS: Final = '("@status" "content-digest" "signature";req)'
# [AQgw]: the only last letters whose unused bits are zero, so one value has one text
_PARAMETERS: Final = (
    rf';created=(0|[1-9][0-9]{{0,11}});nonce="([A-Za-z0-9_-]{{21}}[AQgw])"'
    rf';keyid="([0-9a-f]{{64}})";alg="ed25519";tag="{TAG}"'
)
_SIGNATURE: Final = re.compile(rf"{LABEL}=:([A-Za-z0-9+/]{{85}}[AQgw]==):")

PublicOf = Callable[[bytes], bytes | None]  # a town id to its signing key; None: no peer of ours


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """An HTTP request as both ends see it; `query` without its question mark."""

    method: str
    path: str
    body: bytes = b""
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HttpReply:
    """An HTTP response as both ends see it."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Signed(NamedTuple):
    """What a good signature says: who signed, with which nonce, at which second of its clock."""

    town: bytes
    nonce: bytes
    created_s: int


# ── digest (RFC 9530) and signature base (RFC 9421, section 2.5) ─────────────────────────────────


def content_digest(body: bytes) -> str:
    """The value of Content-Digest for a body (RFC 9530 section 2, sha-256 only)."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def signature_base(components: Iterable[tuple[str, str]], parameters: str) -> bytes:
    """The bytes that are signed: one line a component, then the parameters (RFC 9421, 2.5).

    Component identifiers come with their quotes, as in '"@method"'.
    """
    lines = [f"{identifier}: {value}" for identifier, value in components]
    return "\n".join((*lines, f'"@signature-params": {parameters}')).encode()


# ── requests ─────────────────────────────────────────────────────────────────────────────────────


def sign_request(
    request: HttpRequest,
    key: SigningKey,
    *,
    me: bytes,
    to: bytes,
    nonce: bytes,
    created_s: int,
    content_type: str = "application/cbor",
) -> HttpRequest:
    """The same request with the headers that sign it for the town `to`."""
    headers = {
        **request.headers,
        "content-type": content_type,
        "content-digest": content_digest(request.body),
        "lavoir-to": to.hex(),
    }
    unsigned = HttpRequest(request.method, request.path, request.body, request.query, headers)
    parameters = _REQUEST_COVERS + _parameters(me, nonce, created_s)
    headers |= _signature(key, signature_base(_request_parts(unsigned), parameters), parameters)
    return unsigned


def verify_request(request: HttpRequest, *, me: bytes, public_of: PublicOf) -> Signed:
    """Who sent a request, once its digest, its addressee and its signature are found right.

    The nonce is returned, not judged. Raises RemoteProtocolError with status 401 or 400:
    bad_request_signature, bad_digest, unknown_peer.
    """
    fault = "bad_request_signature"
    said = _read(request.headers, _REQUEST_COVERS, fault)
    if _header(request.headers, "lavoir-to") != me.hex():
        raise RemoteProtocolError(fault, "it is addressed to another town", UNAUTHORIZED)
    _check_digest(request.headers, request.body)
    public = public_of(said.signed.town)
    if public is None:
        raise RemoteProtocolError("unknown_peer", said.signed.town.hex(), UNAUTHORIZED)
    base = signature_base(_request_parts(request), said.parameters)
    if not keys.verify(public, said.signature, base):
        raise RemoteProtocolError(fault, "the signature does not verify", UNAUTHORIZED)
    return said.signed


def _request_parts(request: HttpRequest) -> list[tuple[str, str]]:
    covered = ("content-digest", "content-type", "lavoir-to")
    return [
        ('"@method"', request.method),
        ('"@path"', request.path),
        ('"@query"', f"?{request.query}"),
        *((f'"{name}"', _header(request.headers, name)) for name in covered),
    ]


# ── responses ────────────────────────────────────────────────────────────────────────────────────


def sign_response(
    reply: HttpReply,
    key: SigningKey,
    *,
    me: bytes,
    request: HttpRequest,
    nonce: bytes,
    created_s: int,
) -> HttpReply:
    """The same response with the headers that sign it as the answer to `request`."""
    headers = {**reply.headers, "content-digest": content_digest(reply.body)}
    unsigned = HttpReply(reply.status, reply.body, headers)
    parameters = _RESPONSE_COVERS + _parameters(me, nonce, created_s)
    base = signature_base(_response_parts(unsigned, request), parameters)
    headers |= _signature(key, base, parameters)
    return unsigned


def verify_response(
    reply: HttpReply, request: HttpRequest, *, peer: bytes, public: bytes
) -> Signed:
    """Check that `peer` signed this response, and to this very request.

    Raises RemoteProtocolError: not_signed, bad_signature, bad_digest.
    """
    if not _header(reply.headers, "signature"):
        raise RemoteProtocolError("not_signed", f"HTTP status {reply.status}")
    said = _read(reply.headers, _RESPONSE_COVERS, "bad_signature")
    _check_digest(reply.headers, reply.body)
    base = signature_base(_response_parts(reply, request), said.parameters)
    if said.signed.town != peer or not keys.verify(public, said.signature, base):
        raise RemoteProtocolError("bad_signature", "the answer is not that town's")
    return said.signed


def _response_parts(reply: HttpReply, request: HttpRequest) -> list[tuple[str, str]]:
    return [
        ('"@status"', str(reply.status)),
        ('"content-digest"', _header(reply.headers, "content-digest")),
        ('"signature";req', _header(request.headers, "signature")),
    ]


# ── the headers ──────────────────────────────────────────────────────────────────────────────────


class _Said(NamedTuple):
    signed: Signed
    signature: bytes
    parameters: str


def _parameters(me: bytes, nonce: bytes, created_s: int) -> str:
    text = base64.urlsafe_b64encode(nonce).decode().rstrip("=")
    return f';created={created_s};nonce="{text}";keyid="{me.hex()}";alg="ed25519";tag="{TAG}"'


def _signature(key: SigningKey, base: bytes, parameters: str) -> dict[str, str]:
    return {
        "signature-input": f"{LABEL}={parameters}",
        "signature": f"{LABEL}=:{base64.b64encode(key.sign(base)).decode()}:",
    }


def _read(headers: Mapping[str, str], covers: str, fault: str) -> _Said:
    """Read the two signature headers; any other form than ours is a fault."""
    label, _, parameters = _header(headers, "signature-input").partition("=")
    found = re.fullmatch(re.escape(covers) + _PARAMETERS, parameters)
    signature = _SIGNATURE.fullmatch(_header(headers, "signature"))
    if label != LABEL or found is None or signature is None:
        raise RemoteProtocolError(fault, "the headers are not of this profile", UNAUTHORIZED)
    created, nonce, town = found.groups()
    raw = base64.b64decode(signature[1])
    nonce_raw = base64.urlsafe_b64decode(nonce + "==")
    return _Said(Signed(bytes.fromhex(town), nonce_raw, int(created)), raw, parameters)


def _check_digest(headers: Mapping[str, str], body: bytes) -> None:
    if _header(headers, "content-digest") != content_digest(body):
        raise RemoteProtocolError("bad_digest")


def _header(headers: Mapping[str, str], name: str) -> str:
    """The value of a header whatever the case of its name; empty if it is not there."""
    found = headers.get(name)
    if found is None:
        found = next((headers[each] for each in headers if each.lower() == name), "")
    return found.strip()
