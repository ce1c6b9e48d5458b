"""Federation: how towns share sets of signed records, without sockets, clocks or databases.

A record is one signed value of one register, (origin town, key); only the origin writes it. A node
holds a set of records, and two nodes reconcile sets, so a restored backup, a relay, a USB stick or
a year offline are all the same ordinary case. What a record may do is decided by who signed it,
never by who carried it. SPEC.md beside this file says every byte.

A town's life in seven lines:

    first = genesis(root_seed, signing_key.public, now_s)        # its id: first.town
    words = to_words(root_seed)                                  # on paper, then forgotten
    draft = Draft(origin=first.town, keyset=first.number, ...)
    record = sign(draft, signing_key)                            # record.raw is what travels
    store = MemoryStore(first.town)                              # or any other RecordStore
    admit_keyset(first.raw, store)
    verdicts = admit([record.raw], store, now_ms)                # theirs and ours alike

A visit to another town is `federation.session`, its signed HTTP `federation.channel` and
`federation.gate`; sockets are in `federation.adapters`.
"""

from federation.admission import Examined, Verdict, admit, admit_keyset, examine
from federation.errors import LocalProtocolError, ProtocolError, RemoteProtocolError
from federation.keys import SigningKey, check_public, root_to_archive
from federation.keyset import Keyset, genesis, next_keyset, parse_keyset, verify_chain
from federation.record import (
    LIVE,
    SCOPE_PARTNERS,
    SCOPE_PUBLIC,
    SCOPE_SEALED,
    TOMBSTONE,
    Draft,
    Record,
    live_until,
    new_key,
    parse,
    sign,
    tombstone_until,
    verify,
    wins,
)
from federation.seal import Context, HpkeKey, open_message, seal_message
from federation.stamp import as_of_day, next_stamp, stamp_ms
from federation.store import Current, MemoryStore, RecordStore, SetRow, Usage
from federation.words import from_words, six_words, to_words

__all__ = [
    "LIVE",
    "SCOPE_PARTNERS",
    "SCOPE_PUBLIC",
    "SCOPE_SEALED",
    "TOMBSTONE",
    "Context",
    "Current",
    "Draft",
    "Examined",
    "HpkeKey",
    "Keyset",
    "LocalProtocolError",
    "MemoryStore",
    "ProtocolError",
    "Record",
    "RecordStore",
    "RemoteProtocolError",
    "SetRow",
    "SigningKey",
    "Usage",
    "Verdict",
    "admit",
    "admit_keyset",
    "as_of_day",
    "check_public",
    "examine",
    "from_words",
    "genesis",
    "live_until",
    "new_key",
    "next_keyset",
    "next_stamp",
    "open_message",
    "parse",
    "parse_keyset",
    "root_to_archive",
    "seal_message",
    "sign",
    "six_words",
    "stamp_ms",
    "to_words",
    "tombstone_until",
    "verify",
    "verify_chain",
    "wins",
]
