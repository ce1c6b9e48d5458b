"""The nonces between two towns, kept in the database so that they outlive the process."""

import secrets

from federation.limits import NONCE_LIFE_MS
from federation.signature import NONCE_BYTES
from node.store.database import write_tx
from node.store.network import nonces, partners


class Purse:
    """The next nonce each partner gave us: spent once, so that a visit needs no hello."""

    def take(self, peer: bytes) -> bytes | None:
        """Remove and return the nonce that peer gave last."""
        with write_tx():
            partner = partners.find(peer)
            if partner is None or partner.peer_nonce is None:
                return None
            nonce: bytes = partner.peer_nonce
            partners.save(peer, peer_nonce=None)
            return nonce

    def put(self, peer: bytes, nonce: bytes) -> None:
        """Keep the nonce that peer gave."""
        if partners.find(peer) is not None:
            partners.save(peer, peer_nonce=nonce)


class Nonces:
    """The nonces we gave out: each makes one request of one partner fresh."""

    def issue(self, peer: bytes, now_ms: int) -> bytes:
        """Make, keep and return a nonce of 16 random bytes for a peer."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        nonces.give(nonce, peer, now_ms + NONCE_LIFE_MS)
        return nonce

    def consume(self, peer: bytes, nonce: bytes, now_ms: int) -> bool:
        """Use a nonce up: whether it was that peer's, unused and still good."""
        return nonces.spend(nonce, peer, now_ms)
