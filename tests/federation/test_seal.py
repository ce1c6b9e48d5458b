"""Seals: two readers and no other, in one place and no other."""

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from federation import codec, record, seal
from federation.errors import LocalProtocolError, RemoteProtocolError
from federation.keys import SigningKey, root_to_archive
from federation.record import SCOPE_SEALED
from federation.seal import Context, HpkeKey, open_body, open_inner, seal_body, sign_inner
from scripts.vectors.cast import Cast, secret

CAST = Cast()
AUTHOR = CAST.keys["L3"]
READER, ARCHIVE = HpkeKey.generate(), HpkeKey.from_private(root_to_archive(CAST.root))
PLACE = Context(CAST.l1.town, secret("place", 16), "request/1", CAST.q1.town)
INNER = {
    0: PLACE.kind,
    1: secret("engagement", 16),
    2: PLACE.origin,
    3: PLACE.to,
    4: 0,
    5: 1,
    9: [{0: "ask"}],
}


def sealed(inner=b"hello", place=PLACE):
    return seal_body(inner, to_public=READER.public, archive_public=ARCHIVE.public, context=place)


def code_of(call, *arguments):
    with pytest.raises(RemoteProtocolError) as caught:
        call(*arguments)
    return caught.value.code


@given(st.binary(max_size=2000))
def test_the_addressee_and_the_archive_read_what_was_sealed(inner):
    body = sealed(inner)
    assert open_body(body, [READER], PLACE) == open_body(body, [ARCHIVE], PLACE) == inner


def test_a_reader_with_many_monthly_keys_finds_the_right_one():
    months = [HpkeKey.generate() for _ in range(5)]
    assert open_body(sealed(), [*months, READER], PLACE) == b"hello"
    assert open_body(sealed(), [READER, *months], PLACE) == b"hello"


def test_who_holds_neither_key_reads_nothing():
    assert code_of(open_body, sealed(), [HpkeKey.generate()], PLACE) == "not_readable"
    assert code_of(open_body, sealed(), [], PLACE) == "not_readable"


@pytest.mark.parametrize(
    "change",
    [{"origin": bytes(32)}, {"key": bytes(16)}, {"kind": "reply/1"}, {"to": bytes(32)}],
    ids=lambda change: next(iter(change)),
)
@pytest.mark.parametrize("reader", [READER, ARCHIVE], ids=["addressee", "archive"])
def test_a_body_moved_to_another_place_does_not_open(change, reader):
    assert code_of(open_body, sealed(), [reader], PLACE._replace(**change)) == "bad_seal"


@given(st.data())
def test_a_body_changed_anywhere_gives_a_code_and_never_its_content(data):
    body = bytearray(sealed())
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] ^= data.draw(st.integers(1, 255))
    opened = []
    for reader in (READER, ARCHIVE):
        try:
            opened.append(open_body(bytes(body), [reader], PLACE))
        except RemoteProtocolError as error:
            assert error.code in {"bad_cbor", "bad_seal", "not_readable"}
    # a change inside one reader's wrap leaves the other's whole
    assert opened in ([], [b"hello"])


@given(st.binary(max_size=100))
def test_any_bytes_are_refused_with_a_code(body):
    assert code_of(open_body, body, [READER], PLACE) in {"bad_cbor", "bad_seal"}


@pytest.mark.parametrize(
    "fields",
    [
        {0: "lavoir-seal/2", 1: [], 2: b""},
        {0: seal.TYPE, 1: [], 2: b""},
        {0: seal.TYPE, 1: [[bytes(8), bytes(80)]] * 3, 2: b""},
        {0: seal.TYPE, 1: [[bytes(8), bytes(79)]] * 2, 2: b""},
        {0: seal.TYPE, 1: [[bytes(8), "no"]] * 2, 2: b""},
        {0: seal.TYPE, 1: [[bytes(8), bytes(80)]] * 2, 2: "no"},
        {0: seal.TYPE, 1: [[bytes(8), bytes(80)]] * 2},
        [],
    ],
)
def test_a_body_of_another_form_is_refused(fields):
    assert code_of(open_body, codec.dumps(fields), [READER], PLACE) == "bad_seal"


def test_two_seals_of_one_message_have_nothing_in_common():
    one, other = codec.loads(sealed()), codec.loads(sealed())
    assert one[2] != other[2]
    assert not {wrap[1] for wrap in one[1]} & {wrap[1] for wrap in other[1]}


@pytest.mark.parametrize("public", [bytes(32), (1).to_bytes(32, "little"), bytes(31)])
def test_a_published_key_that_hides_nothing_is_refused(public):
    with pytest.raises(RemoteProtocolError, match="bad_public_key"):
        seal_body(b"x", to_public=public, archive_public=ARCHIVE.public, context=PLACE)


def test_a_key_is_taken_up_from_its_private_bytes_and_hides_them():
    again = HpkeKey.from_private(READER.private)
    assert (again.public, again.id) == (READER.public, READER.id)
    known = X25519PrivateKey.from_private_bytes(READER.private).public_key()
    assert known.public_bytes_raw() == READER.public
    assert READER.private.hex() not in repr(READER)
    with pytest.raises(LocalProtocolError, match="bad_field"):
        HpkeKey.from_private(bytes(31))


# ── the inner message ────────────────────────────────────────────────────────────────────────────


def test_an_inner_message_reads_back_under_its_author_s_key():
    assert open_inner(sign_inner(INNER, AUTHOR), AUTHOR.public, PLACE) == INNER


def test_an_inner_message_of_another_author_is_refused():
    raw = sign_inner(INNER, SigningKey.generate())
    assert code_of(open_inner, raw, AUTHOR.public, PLACE) == "bad_signature"


@pytest.mark.parametrize("change", [{"origin": bytes(32)}, {"to": bytes(32)}, {"kind": "reply/1"}])
def test_an_inner_message_that_names_others_than_its_record_is_not_yours(change):
    raw = sign_inner(INNER, AUTHOR)
    assert code_of(open_inner, raw, AUTHOR.public, PLACE._replace(**change)) == "not_yours"


@pytest.mark.parametrize(
    "change",
    [{0: 1}, {1: bytes(15)}, {2: b""}, {3: "town"}, {4: None}, {4: True}, {5: "1"}],
    ids=repr,
)
def test_an_inner_message_that_breaks_the_form_is_neither_signed_nor_read(change):
    broken = {**INNER, **change}
    with pytest.raises(LocalProtocolError, match="bad_inner"):
        sign_inner(broken, AUTHOR)
    raw = CAST.forged(codec.dumps(broken))
    assert code_of(open_inner, raw, AUTHOR.public) == "bad_inner"


@pytest.mark.parametrize("payload", [[], 1, "text", {}, {"a": 1}], ids=repr)
def test_an_inner_message_that_is_no_map_is_refused(payload):
    raw = CAST.forged(codec.dumps(payload))
    assert code_of(open_inner, raw, AUTHOR.public) == "bad_inner"


def message(signer=AUTHOR, place=PLACE, **changes):
    body = seal.seal_message(
        INNER,
        signer,
        to_public=READER.public,
        archive_public=ARCHIVE.public,
        context=place,
    )
    named = {"key": place.key, "kind": place.kind, "to": place.to, "scope": SCOPE_SEALED}
    return CAST.signed("message", body=body, **{**named, **changes})


def test_a_message_goes_through_a_record_and_back():
    carried = record.parse(message().raw)
    for reader in (READER, ARCHIVE):
        assert seal.open_message(carried, [reader], AUTHOR.public) == INNER


def test_type_sender_and_addressee_are_the_place_s_whatever_the_caller_wrote():
    wrong = {**INNER, 0: "reply/1", 2: bytes(32), 3: bytes(32)}
    body = seal.seal_message(
        wrong, AUTHOR, to_public=READER.public, archive_public=ARCHIVE.public, context=PLACE
    )
    assert open_inner(open_body(body, [READER], PLACE), AUTHOR.public, PLACE) == INNER


def test_a_relay_cannot_send_another_town_s_body_as_its_own():
    stolen = message().body
    relay, key = CAST.q1.town, CAST.keys["Q2"]
    draft = CAST.draft(
        "stolen",
        origin=relay,
        keyset=CAST.q2.number,
        key=PLACE.key,
        kind=PLACE.kind,
        to=PLACE.to,
        scope=SCOPE_SEALED,
        body=stolen,
    )
    carried = record.sign(draft, key)
    assert code_of(seal.open_message, carried, [READER], key.public) == "bad_seal"


def test_an_addressee_cannot_pass_a_message_on_as_if_it_were_for_a_third():
    inner = open_body(message().body, [READER], PLACE)
    third = HpkeKey.generate()
    place = PLACE._replace(origin=CAST.q1.town, to=CAST.v1.town)
    body = seal_body(inner, to_public=third.public, archive_public=ARCHIVE.public, context=place)
    received = open_body(body, [third], place)
    assert code_of(open_inner, received, AUTHOR.public, place) == "not_yours"


def test_an_open_record_has_no_seal_to_break():
    assert code_of(seal.context_of, CAST.signed("open")) == "bad_seal"
