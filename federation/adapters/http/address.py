"""The address of a partner's node: resolved once, and refused where a partner has no business.

A name a partner chose must not make this node knock at the doors of its own house (router, printer,
cloud metadata). Private ranges are open only to a partner marked as being on our own network.
"""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final
from urllib.parse import urlsplit

from federation.errors import RemoteProtocolError

RESOLVE_TIMEOUT_S: Final = 10.0
_PORTS: Final = {"http": 80, "https": 443}
_BROADCAST: Final = "255.255.255.255"
_NAT64: Final = IPv6Network("64:ff9b::/96")
_UNICAST: Final = IPv6Network("2000::/3")  # all of IPv6 that is the internet; the rest is wrappers
_NOBODY: Final = tuple(map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20")))
_OVERLAY: Final = IPv4Network("100.64.0.0/10")  # of carriers, and of networks laid over others
_FIRST_FREE_PORT: Final = 1024

Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Origin:
    """Where a node answers: the beginning of its URLs, with nothing after the port."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        is_usual = self.port == _PORTS[self.scheme]
        return f"{self.scheme}://{host}" + ("" if is_usual else f":{self.port}")


def read_origin(url: str) -> Origin:
    """Read "http(s)://host[:port]". Raises RemoteProtocolError("bad_address") for anything more."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise RemoteProtocolError("bad_address", str(error)) from error
    has_more = parts.path not in ("", "/") or parts.query or parts.fragment
    if parts.scheme not in _PORTS or not host or has_more or "@" in parts.netloc:
        raise RemoteProtocolError("bad_address", "http(s), a host, a port: nothing else")
    return Origin(parts.scheme, host, _PORTS[parts.scheme] if port is None else port)


def resolve(origin: Origin, *, lan: bool) -> list[str]:
    """The addresses of a host that may be connected to, in the system's order.

    Raises RemoteProtocolError: unreachable (no such name), timeout, private_address.
    """
    found = _look_up(origin)
    allowed = [str(each) for each in found if is_allowed(each, lan=lan)]
    if not allowed:
        raise RemoteProtocolError("private_address", f"{origin.host} is {found[0]}")
    return allowed


def is_allowed(address: Address, *, lan: bool) -> bool:
    """Whether a partner may live there: the open internet, or with `lan` our own network."""
    if address.is_multicast or address.is_unspecified:
        return False
    inner = _inner(address)
    if inner is not None:
        return is_allowed(inner, lan=lan)
    if _is_internet(address):
        return True
    is_ours = address.is_private or address.is_link_local or address in _OVERLAY
    return lan and is_ours and str(address) != _BROADCAST


def check_port(origin: Origin) -> None:
    """Refuse, on the internet, the ports of other services: those below 1024 but 80 and 443.

    Nobody shall make this node talk to a mail server or a printer. Raises
    RemoteProtocolError("bad_address").
    """
    if origin.port < _FIRST_FREE_PORT and origin.port not in _PORTS.values():
        raise RemoteProtocolError("bad_address", f"port {origin.port} is another service's")


def _is_internet(address: Address) -> bool:
    if any(address in network for network in _NOBODY if network.version == address.version):
        return False
    return address.is_global and (isinstance(address, IPv4Address) or address in _UNICAST)


def _inner(address: Address) -> IPv4Address | None:
    """The IPv4 address that packets to an IPv6 address end up at, where it only wraps one."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _look_up(origin: Origin) -> list[Address]:
    """Ask the system's resolver, which has no time limit of its own, in a thread that has."""
    found: list[Address] = []
    faults: list[OSError | UnicodeError] = []

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
            found.extend(ip_address(str(answer[4][0]).split("%")[0]) for answer in answers)
        except (OSError, UnicodeError) as error:
            faults.append(error)

    thread = threading.Thread(target=ask, name="resolve", daemon=True)
    thread.start()
    thread.join(RESOLVE_TIMEOUT_S)
    if thread.is_alive():
        raise RemoteProtocolError("timeout", f"no answer to the name {origin.host}")
    if faults or not found:
        raise RemoteProtocolError("unreachable", f"{origin.host}: {next(iter(faults), None)}")
    return list(dict.fromkeys(found))
