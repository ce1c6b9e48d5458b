"""Rule R: what is wrong gets a code and a sentence, nothing of it is kept, the rest goes on."""

from __future__ import annotations

from collections.abc import Callable

from federation import codec, limits
from federation.errors import CODES, RemoteProtocolError
from federation.keys import SigningKey
from federation.messages import decode_verdicts
from federation.record import LIVE, SCOPE_PUBLIC, Draft, Record, live_until, sign
from federation.stamp import stamp_at
from tests.federation.towns import NOW_MS, Town, done, seed, towns


def rule_r(*raws: bytes, expected: str | None = None) -> list[str]:
    """Bring each of `raws` between two good records; return the codes they were refused with."""
    lorient, quimper = towns("Lorient", "Quimper")
    first, last = lorient.publish(2)
    codes = []
    for raw in raws:
        before = quimper.store.known([first.id, last.id])
        verdicts = quimper.admit([first.raw, raw, last.raw], lorient.id, NOW_MS)
        assert [verdicts[0].code, verdicts[2].code] == (["known"] * 2 if before else ["stored"] * 2)
        code = verdicts[1].code.removeprefix("refused:")
        assert verdicts[1].code == f"refused:{code}" and CODES[code].endswith("."), raw[:80]
        assert expected in (None, code), (code, raw[:80])
        codes.append(code)
    assert [row.count for row in quimper.rows(lorient)] == [2]
    assert done(lorient.visit(quimper)).code == ""
    return codes


def record_of(town: Town, at_ms: int = NOW_MS - 1_000, **change: object) -> Record:
    """A record of a town, signed by it, with any of its fields changed."""
    stamp = stamp_at(at_ms)
    fields = {
        "origin": town.id, "keyset": town.keyset.number, "key": seed(town.name, "abuse")[:16],
        "stamp": stamp, "expires": live_until(stamp), "scope": SCOPE_PUBLIC,
        "kind": "lending.item/1", "state": LIVE, "salt": bytes(16), "body": b"\xa0",
    }  # fmt: skip
    return sign(Draft(**{**fields, **change}), town.key)


def fields_of(record: Record) -> dict[int, object]:
    """The signed fields of a record."""
    payload, _ = codec.sign1_split(record.raw)
    found: dict[int, object] = codec.loads(payload)
    return found


def signed(payload: bytes, key: SigningKey) -> bytes:
    """Any bytes at all as the payload of a rightly signed structure."""
    return codec.sign1_join(payload, key.sign(codec.sign1_message(payload)))


def spoilt(town: Town, spoil: Callable[[bytes], bytes]) -> bytes:
    """A rightly signed record of which the payload was spoilt before it was signed."""
    payload, _ = codec.sign1_split(record_of(town).raw)
    changed = spoil(payload)
    assert changed != payload
    return signed(changed, town.key)


def any_endpoint(body: bytes) -> set[str]:
    """Send one body to every endpoint of a host; return the codes. It is alive afterwards."""
    lorient, quimper = towns("Lorient", "Quimper")
    codes = set()
    for path in (limits.SUMMARY, limits.KEYSETS, limits.RECONCILE, limits.FETCH, limits.PUSH):
        try:
            answer = quimper.host.answer(path, body, lorient.id, NOW_MS)
        except RemoteProtocolError as error:
            assert CODES[error.code] and 400 <= error.status_hint < 500
            codes.add(error.code)
        else:
            verdicts = decode_verdicts(answer.body).values()
            assert path == limits.PUSH and all(each.startswith("refused:") for each in verdicts)
    assert not quimper.rows(lorient)
    assert done(lorient.visit(quimper)).code == ""
    return codes
