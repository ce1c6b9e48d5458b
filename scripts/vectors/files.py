"""The files of the vectors, tests/vectors/*.json: the same bytes at every run.

Each is {name, hex, id, verdict, why}; id is the SHA-256 of the bytes. They are judged at NOW_MS by
a node that accepted Lorient and Quimper, holds the keysets of keyset.json whose verdict is "stored"
and has admitted listing.json, tombstone.json and sealed.json in this order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from federation import record
from scripts.vectors.admitted import listings, new_body, sealed, tombstones
from scripts.vectors.carried import carried
from scripts.vectors.cast import Case, Cast
from scripts.vectors.negentropy import sessions
from scripts.vectors.refused import misfilled, torn, uncanonical, unwelcome
from scripts.vectors.standards import cbor, cose, signatures
from scripts.vectors.trust import keysets, public_keys
from scripts.vectors.vouched import checkpoints

FOLDER = Path(__file__).parents[2] / "tests" / "vectors"
Vector = dict[str, str]


def vector(case: Case) -> Vector:
    """One line of a file."""
    name, raw, verdict, why = case
    identity = hashlib.sha256(raw).hexdigest()
    return {"name": name, "hex": raw.hex(), "id": identity, "verdict": verdict, "why": why}


def build(sealed_body: bytes | None = None) -> dict[str, list[Vector]]:
    """All files by name. Without `sealed_body`, the one found in sealed.json."""
    cast = Cast()
    body = sealed_body or kept_body() or new_body(cast)
    groups: dict[str, Callable[[Cast], Iterator[Case]]] = {
        "keyset": keysets,
        "listing": listings,
        "tombstone": tombstones,
        "sealed": lambda each: sealed(each, body),
        "public_key": public_keys,
        "bundle": carried,
        "checkpoint": checkpoints,
        "signature": signatures,
        "cbor": cbor,
        "cose": cose,
        "negentropy": sessions,
    }
    files = {name: list(map(vector, group(cast))) for name, group in groups.items()}
    refused = (torn, uncanonical, misfilled, unwelcome)
    files["invalid"] = [vector(case) for group in refused for case in group(cast)]
    return files


def kept_body() -> bytes | None:
    """The sealed body of the last run, None before the first."""
    path = FOLDER / "sealed.json"
    if not path.is_file():
        return None
    (kept,) = json.loads(path.read_text("utf-8"))
    return record.parse(bytes.fromhex(kept["hex"])).body


def text_of(vectors: list[Vector]) -> str:
    """A file: one vector a line, so that a change shows as one line."""
    lines = ",\n".join(json.dumps(each, ensure_ascii=False) for each in vectors)
    return f"[\n{lines}\n]\n"


def write() -> None:
    """Write every file."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, vectors in build().items():
        (FOLDER / f"{name}.json").write_text(text_of(vectors), "utf-8")
        print(f"tests/vectors/{name}.json: {len(vectors)}")
