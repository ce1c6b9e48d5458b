"""Recovery: the 24 words and what partners hold bring a town's voice back, and no other town's."""

from pathlib import Path

import pytest

from federation.errors import ProtocolError
from federation.keys import SigningKey, from_words
from federation.keyset import LOST, next_keyset, verify_chain
from node.identity.recovery import recovered
from node.journal.keyring import Keyring, KeyringError
from tests.world import START_MS

LATER_MS = START_MS + 86_400_000


def made(home: Path) -> tuple[Keyring, bytes]:
    ring, words = Keyring.create(home, START_MS)
    return ring, from_words(words)


def test_the_words_make_a_new_keyring_of_the_same_town(home: Path) -> None:
    ring, root = made(home)
    fresh = recovered(root, [ring.genesis], LATER_MS)
    assert (fresh.town, fresh.archive) == (ring.town, ring.archive)
    assert (fresh.keyset.reason, fresh.keyset.previous) == (LOST, ring.genesis.id)
    assert fresh.signing.seed != ring.signing.seed and fresh.secret != ring.secret
    verify_chain(ring.genesis, fresh.keyset)


def test_a_recovered_keyset_is_newer_than_any_known_even_where_the_clock_is_behind(
    home: Path,
) -> None:
    ring, root = made(home)
    ahead = next_keyset(root, ring.genesis, SigningKey.generate().public, LATER_MS // 1000)
    fresh = recovered(root, [ahead, ring.genesis], START_MS)
    assert fresh.keyset.number == ahead.number + 1 and fresh.keyset.previous == ahead.id


def test_the_words_of_another_town_recover_nothing(home: Path, tmp_path: Path) -> None:
    ring, _ = made(home)
    other = tmp_path / "other"
    other.mkdir()
    _, foreign = made(other)
    with pytest.raises(ProtocolError, match="another town"):
        recovered(foreign, [ring.genesis], LATER_MS)
    with pytest.raises(ProtocolError, match="missing"):
        recovered(foreign, [], LATER_MS)


def test_keys_travel_as_bytes_and_come_back_the_same(home: Path) -> None:
    ring, root = made(home)
    for each in (ring, recovered(root, [ring.genesis], LATER_MS)):
        back = Keyring.from_bytes(each.to_bytes())
        assert back.to_bytes() == each.to_bytes() and back.keyset == each.keyset


def test_keys_that_do_not_belong_together_are_refused(home: Path, tmp_path: Path) -> None:
    ring, root = made(home)
    fresh = recovered(root, [ring.genesis], LATER_MS)
    mixed = Keyring(
        ring.genesis, fresh.keyset, ring.signing, ring.hpke_made, ring.archive, ring.secret
    )
    with pytest.raises(KeyringError, match="belong together"):
        Keyring.from_bytes(mixed.to_bytes())
