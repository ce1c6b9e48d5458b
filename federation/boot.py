"""The boot: how two nodes that run with the keys of one town notice each other (SPEC.md 12).

Each start of a node takes a random nonce and shows it, signed, to every partner; a partner answers
with the last one it was shown before. A nonce the town never took was taken by its twin. Only the
town's own key signs one, so no partner can make a town believe in a twin it does not have.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from federation import codec, keys, limits
from federation.errors import RemoteProtocolError
from federation.keys import SigningKey
from federation.keyset import Keyset
from federation.session import Answer, Host

PATH: Final = f"{limits.PREFIX}boot"
TYPE: Final = "lavoir-boot/1"
BOOT_MAX_BYTES: Final = 512
NONCE_BYTES: Final = 16
_GEN_END: Final = 2**40
_FORM: Final = (str, bytes, bytes, bytes, int)


class Boot(NamedTuple):
    """One start of a node: whose, shown to whom, its nonce, and the town's last restore."""

    town: bytes
    to: bytes
    nonce: bytes
    gen: int
    raw: bytes


def sign(key: SigningKey, town: bytes, to: bytes, nonce: bytes, gen: int) -> bytes:
    """Return the signed structure that shows a start to the town `to`."""
    payload = codec.dumps(dict(enumerate((TYPE, town, to, nonce, gen))))
    return codec.sign1_join(payload, key.sign(codec.sign1_message(payload)))


def read(raw: bytes, town: bytes, to: bytes, keysets: Sequence[Keyset]) -> Boot:
    """Read a start of `town` shown to `to`, signed by any of its keysets.

    Raises RemoteProtocolError: too_big, bad_cose, bad_cbor, bad_type, bad_message, bad_signature.
    """
    if len(raw) > BOOT_MAX_BYTES:
        raise RemoteProtocolError("too_big", f"{len(raw)} bytes")
    payload, signature = codec.sign1_split(raw)
    told: Any = codec.loads(payload)
    if type(told) is not dict or told.get(0) != TYPE:
        raise RemoteProtocolError("bad_type")
    if tuple(told) != tuple(range(5)) or tuple(map(type, told.values())) != _FORM:
        raise RemoteProtocolError("bad_message", "not the five fields of a boot")
    boot = Boot(told[1], told[2], told[3], told[4], raw)
    is_sound = len(boot.nonce) == NONCE_BYTES and 0 <= boot.gen < _GEN_END
    if not is_sound or (boot.town, boot.to) != (town, to):
        raise RemoteProtocolError("bad_message", "another town's boot, or shown to another")
    message = codec.sign1_message(payload)
    if not any(keys.verify(each.signing, signature, message) for each in keysets):
        raise RemoteProtocolError("bad_signature", "a boot")
    return boot


class HearingHost(Host):
    """A host that also keeps the last start each peer showed it.

    `swap(peer, boot)` keeps a boot and returns the bytes of the one kept before, b"" for none.
    """

    swap: Callable[[bytes, Boot], bytes]

    def answer(self, path: str, body: bytes, peer: bytes, now_ms: int) -> Answer:
        """Answer a request; that of a boot with the last one shown before."""
        if path != PATH:
            return super().answer(path, body, peer, now_ms)
        boot = read(body, peer, self._me, self._store.keysets(peer))
        return Answer(self.swap(peer, boot), limits.OCTETS)
