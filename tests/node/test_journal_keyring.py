"""The key file: written whole, read back the same, never half, never over another town's."""

import random
from pathlib import Path

import pytest

from federation.stamp import DAY_S
from node.journal.keyring import FILE, Keyring, KeyringError
from tests.world import START_MS


def test_keys_come_back_as_they_were_written(home: Path) -> None:
    made, words = Keyring.create(home, START_MS)
    read = Keyring.load(home)
    assert (read.town, read.signing.seed, read.archive, read.secret) == (
        made.town,
        made.signing.seed,
        made.archive,
        made.secret,
    )
    assert len(words) == 24
    assert (home / FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("written", [b"", b"\xa0", b"nonsense", None])
def test_keys_that_cannot_be_read_are_said_to_be_so(home: Path, written: bytes | None) -> None:
    if written is not None:
        (home / FILE).write_bytes(written)
    with pytest.raises(KeyringError):
        Keyring.load(home)


def test_keys_cut_short_at_any_byte_are_said_to_be_so(home: Path, rng: random.Random) -> None:
    Keyring.create(home, START_MS)
    whole = (home / FILE).read_bytes()
    for length in rng.sample(range(len(whole)), 30):
        (home / FILE).write_bytes(whole[:length])
        with pytest.raises(KeyringError):
            Keyring.load(home)


def test_a_second_town_is_not_founded_over_the_first(home: Path) -> None:
    Keyring.create(home, START_MS)
    before = (home / FILE).read_bytes()
    with pytest.raises(KeyringError):
        Keyring.create(home, START_MS)
    assert (home / FILE).read_bytes() == before


def test_the_sealing_key_is_new_each_month_and_the_older_ones_still_open(home: Path) -> None:
    ring, _ = Keyring.create(home, START_MS)
    assert ring.rotated_hpke(START_MS + 29 * DAY_S * 1_000) is ring
    newer = ring.rotated_hpke(START_MS + 31 * DAY_S * 1_000)
    assert len(newer.hpke) == 2 and newer.hpke[1].private == ring.hpke[0].private
    much_later = newer.rotated_hpke(START_MS + 500 * DAY_S * 1_000)
    assert [key.private for key in much_later.hpke[1:]] == []
