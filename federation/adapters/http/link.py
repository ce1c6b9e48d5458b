"""The link: one request to a partner's node and its answer, within bounds of size and time."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Final

import requests
import urllib3

from federation import limits
from federation.adapters.http.address import check_port, read_origin, resolve
from federation.adapters.http.wire import PinnedAdapter, Wire
from federation.errors import RemoteProtocolError
from federation.signature import HttpReply, HttpRequest

CONNECT_TIMEOUT_S: Final = 10.0
READ_TIMEOUT_S: Final = 30.0  # between two bytes
TOTAL_TIMEOUT_S: Final = 120.0  # one exchange, name look-up apart
HEADERS_MAX_BYTES: Final = 16 * 1024
ADDRESSES_MAX: Final = 4  # tried in turn, each for CONNECT_TIMEOUT_S
CHUNK_BYTES: Final = 64 * 1024
_OK: Final = 200
_CUT: Final = (OSError, http.client.RemoteDisconnected, http.client.IncompleteRead)


class HttpLink:
    """Exchanges with one node. Every fault of the other end is a RemoteProtocolError.

    Codes: bad_address, private_address, bad_certificate, unreachable, timeout, redirect,
    content_encoding, too_large, garbage, and from `post` http_status.
    """

    def __init__(
        self,
        url: str,
        *,
        lan: bool = False,
        read_timeout_s: float = READ_TIMEOUT_S,
        total_timeout_s: float = TOTAL_TIMEOUT_S,
    ) -> None:
        """`url` is "http(s)://host[:port]"; `lan` opens private addresses to it."""
        self._origin = read_origin(url)
        if not lan:
            check_port(self._origin)
        self._lan = lan
        self._timeout_s = (CONNECT_TIMEOUT_S, read_timeout_s)
        self._total_timeout_s = total_timeout_s
        self._wire = Wire()
        self._session: requests.Session | None = None

    def send(self, request: HttpRequest, max_bytes: int) -> HttpReply:
        """Carry one request; the status of the answer is not judged, except a redirect."""
        session = self._session or self._open()
        with self._wire.deadline(self._total_timeout_s) as passed:
            try:
                with self._ask(session, request) as response:
                    reply = _read(response, max_bytes)
                self._wire.check()  # headers that are cut off look complete
                return reply
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                self.close()
                if passed.is_set():
                    raise RemoteProtocolError("timeout", "the whole exchange") from error
                raise _fault(error) from error

    def _ask(self, session: requests.Session, request: HttpRequest) -> requests.Response:
        query = f"?{request.query}" if request.query else ""
        return session.request(
            request.method,
            f"{self._origin}{request.path}{query}",
            data=request.body,
            headers=dict(request.headers),
            timeout=self._timeout_s,
            allow_redirects=False,
            stream=True,
        )

    def post(
        self,
        path: str,
        body: bytes,
        *,
        content_type: str = limits.CBOR,
        max_bytes: int = limits.FRAME_MAX_BYTES,
    ) -> bytes:
        """Carry one unsigned request, as pairing does. Raises "http_status" for all but 200."""
        headers = {"content-type": content_type}
        reply = self.send(HttpRequest("POST", path, body, headers=headers), max_bytes)
        if reply.status != _OK:
            raise RemoteProtocolError("http_status", f"HTTP {reply.status}")
        return reply.body

    def close(self) -> None:
        """Close the connection; the next exchange resolves the name again."""
        if self._session is not None:
            self._session.close()
            self._session = None
        self._wire.close()

    def __enter__(self) -> HttpLink:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> requests.Session:
        """A session that knows no proxies, cookies or passwords, and one place to connect to."""
        self._wire.addresses = resolve(self._origin, lan=self._lan)[:ADDRESSES_MAX]
        session = requests.Session()
        session.trust_env = False
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        session.headers.clear()
        session.headers.update({"accept-encoding": "identity", "user-agent": "lavoir/1"})
        session.mount(f"{self._origin.scheme}://", PinnedAdapter(self._wire))
        self._session = session
        return session


def _read(response: requests.Response, max_bytes: int) -> HttpReply:
    """Read an answer within its bounds."""
    raw = response.raw
    headers = {name.lower(): value for name, value in raw.headers.items()}
    if sum(len(name) + len(value) for name, value in raw.headers.items()) > HEADERS_MAX_BYTES:
        raise RemoteProtocolError("garbage", "too many headers")
    if 300 <= response.status_code < 400:
        raise RemoteProtocolError("redirect", headers.get("location", "")[:200])
    if "content-encoding" in headers:
        raise RemoteProtocolError("content_encoding", headers["content-encoding"][:40])
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > max_bytes:
        raise RemoteProtocolError("too_large", f"{declared[:20]} bytes announced")
    body = bytearray()
    while chunk := raw.read(min(CHUNK_BYTES, max_bytes + 1 - len(body)), decode_content=False):
        body += chunk
        if len(body) > max_bytes:
            raise RemoteProtocolError("too_large", f"more than {max_bytes} bytes")
    return HttpReply(response.status_code, bytes(body), headers)


def _fault(error: BaseException) -> RemoteProtocolError:
    """Name what went wrong below: late, cut off, or not HTTP."""
    chain = list(_causes(error))
    detail = str(chain[-1])[:200]
    if any(isinstance(each, ssl.SSLCertVerificationError) for each in chain):
        return RemoteProtocolError("bad_certificate", detail)
    if any(isinstance(each, TimeoutError) for each in chain):
        return RemoteProtocolError("timeout", detail)
    if any(
        isinstance(each, _CUT) and not isinstance(each, requests.RequestException) for each in chain
    ):
        return RemoteProtocolError("unreachable", detail)
    return RemoteProtocolError("garbage", detail)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and those it wraps, in whichever of the libraries' ways, outermost first."""
    waiting, seen = [error], set()
    while waiting:
        each = waiting.pop(0)
        if id(each) not in seen:
            seen.add(id(each))
            yield each
            wrapped = (each.__cause__, each.__context__, getattr(each, "reason", None), *each.args)
            waiting += [one for one in wrapped if isinstance(one, BaseException)]
