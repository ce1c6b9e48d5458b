"""The cast of the vectors: three towns whose keys anyone can make again, and one moment."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from federation import codec, keyset, record, seal
from federation.keys import SigningKey, root_to_archive
from federation.record import Draft, Record, live_until
from federation.stamp import DAY_MS, DAY_S, stamp_at

Case = tuple[str, bytes, str, str]  # name, bytes, verdict, why
NOW_MS = 1_780_000_000_000  # 2026-05-28T20:26:40Z
NOW_S = NOW_MS // 1000


def secret(name: str, size: int = 32) -> bytes:
    """Bytes anyone can make again from a name."""
    return hashlib.sha256(b"lavoir vectors: " + name.encode()).digest()[:size]


def stamp(days_ago: int, order: int = 0) -> int:
    """A stamp that many days before NOW_MS."""
    return stamp_at(NOW_MS - days_ago * DAY_MS) + order


class Cast:
    """Lorient, rotated twice; Quimper, whose first key was stolen; Vannes, accepted by nobody."""

    def __init__(self) -> None:
        self.keys = {name: SigningKey.from_seed(secret(name)) for name in ("L1", "L2", "L3")}
        self.keys |= {name: SigningKey.from_seed(secret(name)) for name in ("Q1", "Q2", "V1")}
        lorient, quimper, vannes = (secret(f"{town} root") for town in ("L", "Q", "V"))
        self.l1 = keyset.genesis(lorient, self.keys["L1"].public, NOW_S - 200 * DAY_S)
        self.l2 = self._after(lorient, self.l1, "L2", 100, keyset.ROUTINE)
        self.l3 = self._after(lorient, self.l2, "L3", 10, keyset.LOST)
        self.q1 = keyset.genesis(quimper, self.keys["Q1"].public, NOW_S - 90 * DAY_S)
        self.q2 = self._after(quimper, self.q1, "Q2", 2, keyset.COMPROMISE)
        self.v1 = keyset.genesis(vannes, self.keys["V1"].public, NOW_S - 50 * DAY_S)
        self.root = lorient
        self.archive = seal.HpkeKey.from_private(root_to_archive(lorient))
        self.addressee = seal.HpkeKey.from_private(secret("Quimper HPKE"))

    def _after(
        self, root: bytes, last: keyset.Keyset, key: str, days_ago: int, reason: str
    ) -> keyset.Keyset:
        public = self.keys[key].public
        return keyset.next_keyset(root, last, public, NOW_S - days_ago * DAY_S, reason)

    def draft(self, name: str, **changes: Any) -> Draft:
        """A live public listing of Lorient, changed."""
        begins = changes.pop("stamp", stamp(5))
        body = codec.dumps({"title": "Échelle double, 2 × 3 m", "verb": "lend", "lang": "fr"})
        draft = Draft(
            origin=self.l1.town,
            keyset=self.l3.number,
            key=secret(f"key {name}", 16),
            stamp=begins,
            expires=live_until(begins, 380),
            scope=record.SCOPE_PUBLIC,
            kind="lending.item/1",
            salt=secret(f"salt {name}", 16),
            body=body,
        )
        return replace(draft, **changes)

    def signed(self, name: str, signer: str = "L3", **changes: Any) -> Record:
        """That listing, signed."""
        return record.sign(self.draft(name, **changes), self.keys[signer])

    def forged(self, payload: bytes, signer: str = "L3") -> bytes:
        """Any payload under a true signature: what a careless or hostile origin could sign."""
        signature = self.keys[signer].sign(codec.sign1_message(payload))
        return codec.sign1_join(payload, signature)
