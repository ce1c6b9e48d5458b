"""Recovery from a partner: what its words bring back to a town, and what a partner cannot add."""

import shutil

import pytest

from federation.errors import LocalProtocolError, RemoteProtocolError
from federation.keys import to_words
from federation.lookup import PATH, Lookup, found, read_query
from federation.record import SCOPE_PARTNERS
from federation.signature import HttpReply, HttpRequest
from node.app import open_town
from node.backup import release
from node.cli.recover import NotCompared, recover_town
from node.cli.town import found_town
from node.journal import restoring
from node.partners import lookup
from node.practices.lending.practice import PRACTICE
from node.store.database import using
from node.store.sets import keysets, records
from tests.nodes import listing
from tests.world import INSEE, World

QUIMPER = "http://quimper.test"


@pytest.fixture
def world(tmp_path):
    """Lorient, Quimper and Vannes, partners of Lorient; `words` are on Lorient's paper."""
    world = World(tmp_path / "towns")
    world.words = found_town(
        world.folder / "lorient", name="Lorient", insee=INSEE["Lorient"],
        url="http://lorient.test", clock=world.clock,
    )  # fmt: skip
    world.start("Lorient")
    for name in ("Quimper", "Vannes"):
        world.found(name)
        world.pair("Lorient", name)
    world.sync()
    yield world
    world.close()


def recovered(world, url=QUIMPER, words=None, agree=lambda name, six: True, **more):
    home = world.folder / "again"
    first = not (home / "town.keys").exists()
    return recover_town(
        home, (words or world.words) if first else None, url, agree=agree, clock=world.clock,
        connect=more.get("connect") or world._connector("Lorient"),
    )  # fmt: skip


def lose(world):
    world.places["Lorient"].town.close()
    world.places["Lorient"].is_up = False
    shutil.rmtree(world.folder / "lorient")


def opened(world):
    return open_town(world.folder / "again", clock=world.clock, connect=world._connector("Lorient"))


def test_what_was_for_partners_only_comes_back_too(world):
    with world.places["Lorient"].inside() as town:
        key = town.journal.publish(PRACTICE.kind, listing("Scie"), scope=SCOPE_PARTNERS).key
        lorient = town.id
    world.sync()
    lose(world)
    assert recovered(world)["records"] == 2
    town = opened(world)
    with using(town.database):
        assert records.find(lorient, key).scope == SCOPE_PARTNERS
        assert restoring.state().why == restoring.RECOVERED


def test_what_was_sealed_is_read_again_after_a_recovery(world):
    quimper = world.places["Quimper"].town.id
    with world.places["Lorient"].inside() as town:
        inner = {
            0: "note/1",
            1: b"e" * 16,
            2: town.id,
            3: quimper,
            4: 0,
            5: 1,
            6: "la clé est chez Anne",
        }
        sealed = town.journal.publish_sealed("note/1", inner, to=quimper)
    world.sync()
    lose(world)
    told = recovered(world, "http://vannes.test")
    assert quimper.hex() in [each["town"] for each in told["other_partners"]]
    recovered(world)
    town = opened(world)
    with using(town.database):
        assert records.by_id(sealed.id) is not None
        assert town.journal.open_sealed(sealed)[6] == "la clé est chez Anne"


def test_the_other_partners_bring_what_the_first_had_not_heard(world):
    with world.places["Lorient"].inside() as town:
        town.journal.publish(PRACTICE.kind, listing("Vue de Vannes seule"))
    world.cut("Lorient", "Quimper")
    world.visit("Lorient", "Vannes")
    world.heal("Lorient", "Quimper")
    lose(world)
    assert recovered(world)["records"] == 1
    assert recovered(world, "http://vannes.test")["records"] == 2
    town = opened(world)
    with using(town.database):
        assert release.report(town).heard == ["Quimper", "Vannes"]
        assert release.may_leave(town)
        release.leave(town, by="Anne")
        town.journal.publish(PRACTICE.kind, listing("Nouvelle"))
        assert town.exchanges.visit(world.places["Quimper"].town.id).sent >= 1
        assert [each.reason for each in keysets.of_town(town.id)] == ["genesis", "lost"]


def test_words_of_nobody_or_in_another_order_bring_nothing(world):
    with pytest.raises(LocalProtocolError, match="bad_words"):
        recovered(world, words=world.words[1:] + world.words[:1])
    with pytest.raises(RemoteProtocolError, match="not_found"):
        recovered(world, words=to_words(b"x" * 32))
    assert not (world.folder / "again").exists()


def test_nothing_is_kept_while_the_six_words_were_not_compared(world):
    seen = []
    with pytest.raises(NotCompared):
        recovered(world, agree=lambda name, six: seen.append((name, six)))
    ((name, six),) = seen
    assert name == "Quimper" and len(six) == 6
    assert not (world.folder / "again").exists()


def test_a_recovery_cut_off_goes_on_when_it_is_done_again(world):
    link = world._connector("Lorient")
    lose(world)

    class Cut:
        """Carries the look-up, and nothing after it."""

        def __init__(self, url, lan=False):
            self.inner = link(url, lan)

        def send(self, request, max_bytes):
            if request.path != PATH:
                raise RemoteProtocolError("unreachable", "cut")
            return self.inner.send(request, max_bytes)

        def close(self):
            self.inner.close()

    with pytest.raises(RemoteProtocolError, match="undelivered"):
        recovered(world, connect=Cut)
    assert recovered(world)["records"] == 1
    with using(opened(world).database):
        assert restoring.is_restoring()


def test_a_look_up_tells_of_accepted_towns_alone(world):
    quimper = world.places["Quimper"].town
    roots = {}
    for name, place in world.places.items():
        with place.inside() as town:
            roots[name] = town.keyring.genesis.root
    with using(quimper.database):
        for name, status in (("Lorient", 200), ("Quimper", 200), ("Vannes", 404)):
            asked = HttpRequest("GET", PATH, query=f"root={roots[name].hex()}")
            assert lookup.answer(asked, quimper).status == status
        for asked in (
            HttpRequest("POST", PATH, query=f"root={roots['Lorient'].hex()}"),
            HttpRequest("GET", PATH),
            HttpRequest("GET", PATH, query="root=" + "g" * 64),
            HttpRequest("GET", PATH, query="root=" + "0" * 64 + "&x=1"),
        ):
            assert lookup.answer(asked, quimper).status in (400, 404)
        asked = HttpRequest("GET", PATH, query="root=" + "0" * 64)
        answers = {lookup.answer(asked, quimper).status for _ in range(70)}
        assert answers == {404, 429}


def test_a_look_up_that_lies_is_refused(world):
    quimper, vannes = world.places["Quimper"].town.keyring, world.places["Vannes"].town.keyring
    root = world.places["Lorient"].town.keyring.genesis.root
    lorient = world.places["Lorient"].town.keyring.genesis.raw
    host = (quimper.genesis.raw,)
    assert found(Lookup((lorient,), host, "Quimper").encode(), root).name == "Quimper"
    for town, ends in (
        ((vannes.genesis.raw,), host),  # another town's
        ((lorient, vannes.genesis.raw), host),
        ((), host),
        ((lorient,), ()),
        ((lorient,), (lorient, quimper.genesis.raw)),
        ((lorient[:-1] + bytes((lorient[-1] ^ 1,)),), host),
    ):
        with pytest.raises(RemoteProtocolError):
            found(Lookup(town, ends, "").encode(), root)
    for raw in (b"", b"\xa0", b"\xff" * 100, Lookup((lorient,), host, "\n").encode()):
        with pytest.raises(RemoteProtocolError):
            found(raw, root)
    with pytest.raises(RemoteProtocolError):
        read_query("root=abc")
    with pytest.raises(RemoteProtocolError, match="http_status"):
        lookup.ask(lambda url, lan: _Answers(500), QUIMPER, root, lan=False)


class _Answers:
    def __init__(self, status):
        self.status = status

    def send(self, request, max_bytes):
        return HttpReply(self.status, b"")

    def close(self):
        pass
