"""The HTTP link: bytes to a partner's node and back, whatever stands at the other end.

The only door to requests. It follows no redirect, accepts no compression, reads no more than it was
told to, and ends on time even when the other end sends one byte a minute. Who the other end is, is
not judged here: the signature is (`federation.channel`).
"""

from federation.adapters.http.link import HttpLink

__all__ = ["HttpLink"]
