"""Records: the fast reader and the slow one agree, and revisions have one order."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from federation import codec, record
from federation.errors import LocalProtocolError, ProtocolError, RemoteProtocolError
from federation.keys import SigningKey
from federation.record import (
    LIVE,
    SCOPE_SEALED,
    TOMBSTONE,
    Draft,
    check_succession,
    is_equivocation,
    live_until,
    parse,
    sign,
    tombstone_until,
    verify,
    wins,
)
from federation.stamp import DAY_S, stamp_at
from scripts.vectors.cast import NOW_MS, Cast, stamp
from scripts.vectors.refused import misfilled, uncanonical

CAST = Cast()
KEY = CAST.keys["L3"]
GOOD = codec.sign1_split(CAST.signed("good").raw)[0]
SEALED = codec.sign1_split(
    CAST.signed("sealed", scope=SCOPE_SEALED, to=CAST.q1.town, kind="request/1").raw
)[0]


def test_a_signed_draft_reads_back_as_what_it_said():
    draft = CAST.draft("round", extra={15: "later"}, crit=(15,))
    made = sign(draft, KEY)
    for name in ("origin", "keyset", "key", "stamp", "expires", "scope", "kind", "state", "salt"):
        assert getattr(made, name) == getattr(draft, name)
    assert (made.body, made.to, made.crit) == (draft.body, None, (15,))
    assert made.id == hashlib.sha256(made.raw).digest()
    assert parse(made.raw) == made
    assert made.register == (draft.origin, draft.key)


def test_a_record_is_verified_under_the_key_that_signed_and_no_other():
    made = CAST.signed("verify")
    assert verify(made, KEY.public)
    assert not verify(made, CAST.keys["L2"].public)


def test_an_unknown_critical_field_is_kept_but_not_shown():
    assert CAST.signed("plain").is_understood
    assert CAST.signed("extra", extra={13: 1}).is_understood
    assert not CAST.signed("crit", extra={13: 1}, crit=(13,)).is_understood


def test_every_record_gets_its_own_salt_and_every_register_its_own_name():
    draft = CAST.draft("salt")
    fields = {name: getattr(draft, name) for name in ("origin", "keyset", "stamp", "expires")}
    drafts = [Draft(key=record.new_key(), scope=0, kind="a/1", **fields) for _ in range(50)]
    assert len({each.salt for each in drafts}) == len({each.key for each in drafts}) == 50
    assert {len(each.salt) for each in drafts} == {len(each.key) for each in drafts} == {16}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"origin": b"short"}, "bad_field"),
        ({"stamp": 0}, "bad_stamp"),
        ({"expires": 1}, "bad_expiry"),
        ({"scope": 3}, "bad_scope"),
        ({"kind": "No"}, "bad_kind"),
        ({"state": 2}, "bad_state"),
        ({"body": b""}, "bad_body"),
        ({"body": bytes(16_384)}, "too_big"),
        ({"to": bytes(32)}, "bad_addressee"),
        ({"crit": (13,)}, "bad_crit"),
        ({"extra": {13: 1.5}}, "bad_cbor"),
        ({"extra": {24: 1}}, "bad_cbor"),
    ],
)
def test_we_do_not_sign_what_others_would_refuse(changes, code):
    with pytest.raises(LocalProtocolError) as caught:
        sign(CAST.draft("ours", **changes), KEY)
    assert caught.value.code == code


def test_the_bounds_of_a_life_are_exact():
    at = stamp(5)
    assert CAST.signed("long", expires=live_until(at)).expires == live_until(at)
    assert CAST.signed("short", expires=live_until(at, 0) + 1)
    for expires in (live_until(at) + 1, live_until(at, 0)):
        with pytest.raises(LocalProtocolError, match="bad_expiry"):
            CAST.signed("wrong", expires=expires)
    assert (live_until(at) - live_until(at, 0), tombstone_until(at) - live_until(at, 0)) == (
        400 * DAY_S,
        430 * DAY_S,
    )


def test_a_tombstone_outlives_whatever_it_can_bury():
    assert record.TOMBSTONE_DAYS > record.LIVE_MAX_DAYS


def test_a_record_of_exactly_sixteen_kibibytes_is_read():
    spare = record.RECORD_MAX_BYTES - len(CAST.signed("full", body=bytes(300)).raw) + 300
    full = CAST.signed("full", body=bytes(spare))
    assert len(full.raw) == record.RECORD_MAX_BYTES
    with pytest.raises(RemoteProtocolError, match="too_big"):
        parse(CAST.forged(bytes(record.RECORD_MAX_BYTES)))


# ── the fast form and the slow one ───────────────────────────────────────────────────────────────


def judged(payload, decode):
    """The fields, or the code of the refusal."""
    try:
        fields = decode(payload)
        record._check_fields(fields)
    except ProtocolError as error:
        return error.code
    return fields


def fast(payload):
    fields = record._flat(payload)
    return record._walked(payload) if fields is None else fields


def check_agreement(payload):
    assert judged(payload, fast) == judged(payload, record._walked)


scalars = st.one_of(
    st.integers(-3, 2**70),
    st.binary(max_size=40),
    st.sampled_from(["lavoir-record/1", "a/1", "e\u0301/1", "é/1", "", "a"]),
    st.booleans(),
    st.none(),
    st.floats(),
    st.just([13]),
    st.just({0: 1}),
)


@given(st.dictionaries(st.integers(0, 14), scalars, max_size=3), st.sets(st.integers(0, 12)))
def test_fast_and_slow_agree_on_fields_changed_and_left_out(changes, dropped):
    fields = {**codec.loads(SEALED), **changes}
    kept = {number: value for number, value in fields.items() if number not in dropped}
    check_agreement(codec.encode_as_is(kept))
    check_agreement(codec.encode_as_is(dict(sorted(fields.items()))))


@given(st.sampled_from([GOOD, SEALED]), st.data())
def test_fast_and_slow_agree_on_bytes_changed_anywhere(payload, data):
    changed = bytearray(payload)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    check_agreement(bytes(changed))


@given(st.sampled_from([GOOD, SEALED]), st.data())
def test_fast_and_slow_agree_on_bytes_put_in_or_taken_out(payload, data):
    start = data.draw(st.integers(0, len(payload)))
    end = data.draw(st.integers(start, min(start + 3, len(payload))))
    check_agreement(payload[:start] + data.draw(st.binary(max_size=4)) + payload[end:])


@pytest.mark.parametrize(
    "payload",
    [
        codec.sign1_split(raw)[0]
        for group in (uncanonical, misfilled)
        for _, raw, _, _ in group(CAST)
    ],
)
def test_fast_and_slow_agree_on_the_vectors(payload):
    check_agreement(payload)
    assert isinstance(judged(payload, fast), str)


def test_usual_records_take_the_fast_way():
    assert record._flat(GOOD) == record._walked(GOOD)
    assert record._flat(SEALED) == record._walked(SEALED)


@given(st.binary(max_size=120))
@example(CAST.signed("good").raw)
def test_whatever_arrives_is_a_record_or_is_refused_by_a_code(raw):
    try:
        assert parse(raw).raw == raw
    except RemoteProtocolError as error:
        assert error.code.startswith(("bad_", "too_"))


# ── winners ──────────────────────────────────────────────────────────────────────────────────────

AT = stamp(5)
REVISIONS = [
    CAST.signed("one", stamp=AT - 1),
    CAST.signed("one", salt=bytes(16)),
    CAST.signed("one", salt=bytes([1] * 16)),
    CAST.signed("one", state=TOMBSTONE, body=b"", expires=tombstone_until(AT)),
    CAST.signed("one", stamp=AT + 1),
]


def test_a_tombstone_wins_then_a_greater_stamp_then_a_greater_id():
    before, first, second, buried, after = REVISIONS
    assert all(wins(buried, live) for live in (before, first, second, after))
    assert wins(after, first) and wins(first, before)
    assert wins(first, second) == (first.id > second.id)


@pytest.mark.parametrize("one", REVISIONS)
@pytest.mark.parametrize("other", REVISIONS)
def test_of_two_revisions_exactly_one_wins_and_none_beats_itself(one, other):
    assert wins(one, other) + wins(other, one) == (one is not other)


def test_two_live_revisions_of_one_stamp_prove_equivocation():
    before, first, second, buried, _ = REVISIONS
    assert is_equivocation(first, second)
    assert not is_equivocation(first, first)
    assert not is_equivocation(first, before)
    assert not is_equivocation(first, buried)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"key": bytes(16)}, "bad_field"),
        ({"origin": bytes(32)}, "bad_field"),
        ({"scope": 1}, "bad_scope"),
        ({"stamp": AT}, "bad_stamp"),
        ({"expires": live_until(AT, 380) - 1}, "expires_early"),
    ],
)
def test_we_do_not_sign_a_revision_that_some_readers_could_not_follow(changes, code):
    holder = CAST.signed("one")
    following = CAST.draft("one", stamp=AT + 1)
    check_succession(following, holder)
    with pytest.raises(LocalProtocolError) as caught:
        check_succession(replace(following, **changes), holder)
    assert caught.value.code == code


def test_a_tombstone_may_follow_any_live_revision():
    holder = CAST.signed("one", expires=live_until(AT))
    end = tombstone_until(AT + 1)
    check_succession(
        CAST.draft("one", stamp=AT + 1, state=TOMBSTONE, body=b"", expires=end), holder
    )


def test_a_buried_register_is_not_used_again():
    buried = REVISIONS[3]
    revived = CAST.draft("one", stamp=AT + 1, expires=live_until(AT + 1))
    with pytest.raises(LocalProtocolError, match="bad_state"):
        check_succession(revived, buried)


def test_a_generated_key_signs_as_well():
    key = SigningKey.generate()
    draft = CAST.draft("fresh", stamp=stamp_at(NOW_MS))
    assert verify(sign(draft, key), key.public)
    assert sign(draft, key).state == LIVE
