"""Keysets: a town outlives its signing keys, and its root's word is checked in every one."""

import hashlib
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import keyset
from federation.errors import LocalProtocolError, RemoteProtocolError
from federation.keys import SigningKey
from federation.keyset import (
    COMPROMISE,
    GENESIS,
    LOST,
    ROUTINE,
    Keyset,
    check_next,
    compromised,
    genesis,
    next_keyset,
    parse_keyset,
    retired,
    verify_chain,
)
from federation.stamp import DAY_S, day_start_s
from scripts.vectors.cast import Cast

CAST = Cast()
PUBLIC = SigningKey.from_seed(bytes(range(32))).public
DAY = 20_000


def test_a_town_is_the_hash_of_its_genesis_for_ever():
    assert CAST.l1.town == CAST.l1.id == hashlib.sha256(CAST.l1.raw).digest()
    assert CAST.l1.town == CAST.l2.town == CAST.l3.town
    assert (CAST.l1.is_genesis, CAST.l2.is_genesis) == (True, False)
    assert (CAST.l2.previous, CAST.l3.previous) == (CAST.l1.id, CAST.l2.id)


@pytest.mark.parametrize("each", [CAST.l1, CAST.l2, CAST.l3, CAST.q2])
def test_a_keyset_reads_back_from_its_bytes(each):
    assert parse_keyset(each.raw) == each


@given(st.sampled_from([CAST.l1, CAST.l3]), st.data())
def test_a_keyset_changed_anywhere_is_refused(each, data):
    changed = bytearray(each.raw)
    at = data.draw(st.integers(0, len(changed) - 1))
    changed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(RemoteProtocolError):
        parse_keyset(bytes(changed))


def test_a_keyset_of_more_than_a_kibibyte_is_not_parsed():
    with pytest.raises(RemoteProtocolError, match="too_big"):
        parse_keyset(bytes(1025))


@pytest.mark.parametrize("latest", [CAST.l1, CAST.l2, CAST.l3])
def test_any_later_keyset_is_checked_against_the_genesis_alone(latest):
    verify_chain(CAST.l1, latest)


@pytest.mark.parametrize(
    ("first", "latest"),
    [
        (CAST.l2, CAST.l3),
        (CAST.q1, CAST.l2),
        (CAST.l1, CAST.q1),
        (CAST.l1, CAST.l2._replace(root=CAST.q1.root)),
        (CAST.l1, CAST.l2._replace(town=CAST.q1.town)),
        (CAST.l1, CAST.l2._replace(number=CAST.l1.number)),
    ],
)
def test_a_keyset_of_another_town_breaks_the_chain(first, latest):
    with pytest.raises(RemoteProtocolError, match="broken_chain"):
        verify_chain(first, latest)


def test_only_the_root_that_founded_the_town_can_rotate_it():
    with pytest.raises(LocalProtocolError, match="broken_chain"):
        next_keyset(bytes(32), CAST.l1, PUBLIC, CAST.l1.number + 1)


@pytest.mark.parametrize(
    ("number", "reason"),
    [(CAST.l1.number, ROUTINE), (CAST.l1.number - 1, LOST), (CAST.l1.number + 1, GENESIS)],
)
def test_a_rotation_has_a_greater_number_and_a_reason(number, reason):
    with pytest.raises(LocalProtocolError, match="bad_keyset"):
        next_keyset(CAST.root, CAST.l1, PUBLIC, number, reason)


def test_the_root_does_not_sign_records():
    root = SigningKey.from_seed(CAST.root)
    with pytest.raises(LocalProtocolError, match="bad_keyset"):
        genesis(CAST.root, root.public, 1)


def test_a_weak_signing_key_founds_no_town():
    with pytest.raises(LocalProtocolError, match="bad_public_key"):
        genesis(CAST.root, bytes(32), 1)


def test_a_new_keyset_is_new_once():
    assert check_next([CAST.l1], CAST.l2)
    assert not check_next([CAST.l1, CAST.l2], CAST.l2)
    assert check_next([CAST.l1, CAST.l3], CAST.l2)


def test_two_keysets_of_one_number_are_equivocation():
    twin = next_keyset(CAST.root, CAST.l1, PUBLIC, CAST.l2.number)
    with pytest.raises(RemoteProtocolError, match="keyset_equivocation"):
        check_next([CAST.l1, CAST.l2], twin)


def test_without_a_genesis_no_keyset_is_believed():
    with pytest.raises(RemoteProtocolError, match="broken_chain"):
        check_next([], CAST.l2)


# ── retirement ───────────────────────────────────────────────────────────────────────────────────


@dataclass
class Rotations:
    """A town rotated on given days, for given reasons."""

    days: list[int]
    reasons: list[str] = field(default_factory=list)

    def keysets(self) -> list[Keyset]:
        first = CAST.l1._replace(number=day_start_s(DAY - 1000))
        later = [
            CAST.l2._replace(number=day_start_s(DAY + day), reason=reason)
            for day, reason in zip(self.days, self.reasons, strict=True)
        ]
        return [first, *later]


def test_a_replaced_keyset_lives_thirty_days_after_its_successor():
    first, second = held = Rotations([0], [ROUTINE]).keysets()
    assert retired(held, DAY) == frozenset()
    assert retired(held, DAY + 29) == frozenset()
    assert retired(held, DAY + 30) == {first.number}
    assert retired(held, DAY + 3000) == {first.number}
    assert second.number not in retired(held, DAY + 3000)
    assert keyset.RETIRED_AFTER_DAYS * DAY_S == 30 * 24 * 3600


def test_thirty_days_count_from_the_next_keyset_not_from_the_last():
    first, second, _ = held = Rotations([0, 20], [ROUTINE, LOST]).keysets()
    assert retired(held, DAY + 30) == {first.number}
    assert retired(held, DAY + 50) == {first.number, second.number}


def test_a_compromise_kills_every_earlier_keyset_at_once_and_none_after():
    numbers = [k.number for k in Rotations([0, 1, 2], [ROUTINE, COMPROMISE, ROUTINE]).keysets()]
    held = Rotations([0, 1, 2], [ROUTINE, COMPROMISE, ROUTINE]).keysets()
    assert compromised(held) == set(numbers[:2])
    assert retired(held, DAY + 2) == set(numbers[:2])


rotations = st.lists(
    st.tuples(st.integers(0, 200), st.sampled_from([ROUTINE, LOST, COMPROMISE])),
    max_size=5,
    unique_by=lambda rotation: rotation[0],
).map(sorted)


@given(rotations, st.integers(-10, 300))
def test_the_keyset_in_force_never_retires_and_the_retired_stay_so(steps, day):
    held = Rotations([step[0] for step in steps], [step[1] for step in steps]).keysets()
    dead = retired(held, DAY + day)
    assert held[-1].number not in dead
    assert dead <= retired(held, DAY + day + 1)
    assert compromised(held) <= dead
