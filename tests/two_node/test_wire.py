"""What crosses the wire between two real nodes, measured on the wire."""

import subprocess

import pytest

from federation import limits
from federation.messages import decode_error
from node.store.network import partners
from tests.nodes import Node, Nodes
from tests.two_node.wiretap import Wiretap, send, tapped

EQUAL_MAX_BYTES = 500  # of the request's body, and of the answer's


@pytest.fixture
def tap(serving: Nodes) -> Wiretap:  # type: ignore[misc]
    """The wire from Lorient to Quimper."""
    lorient, quimper = serving.towns["Lorient"], serving.towns["Quimper"]
    with tapped(quimper.port) as tap:
        _lead(lorient, quimper, tap.url)
        yield tap
        _lead(lorient, quimper, quimper.url)


def _lead(near: Node, far: Node, url: str) -> None:
    with near.inside():
        (row,) = [each for each in partners.listed() if each.name == far.name]
        partners.save(row.town, url=url)


def test_equal_nodes_need_one_signed_exchange_of_half_a_kilobyte_each_way(
    serving: Nodes, tap: Wiretap
) -> None:
    lorient = serving.towns["Lorient"]
    for _ in range(2):
        for name in serving.towns:
            serving.towns[name].sync()
    for _ in range(3):  # each time another process
        tap.heard.clear()
        (visit,) = lorient.sync("Quimper")
        (heard,) = tap.heard
        assert (visit["outcome"], visit["round_trips"]) == ("ok", 1)
        assert (heard.method, heard.path, heard.status) == ("POST", limits.SUMMARY, 200)
        assert 0 < len(heard.body) <= EQUAL_MAX_BYTES
        assert 0 < len(heard.answer) <= EQUAL_MAX_BYTES
        assert (visit["bytes_up"], visit["bytes_down"]) == (len(heard.body), len(heard.answer))
        assert "signature" in {name.lower() for name in heard.headers}
        assert "signature" in {name.lower() for name in heard.answer_headers}
    print(f"three towns: {len(heard.body)} B asked, {len(heard.answer)} B answered")


def test_a_captured_request_sent_again_is_stale(serving: Nodes, tap: Wiretap) -> None:
    lorient, quimper = serving.towns["Lorient"], serving.towns["Quimper"]
    lorient.publish(3, "Rejoué")
    lorient.sync("Quimper")
    held = quimper.held()
    captured = [each for each in tap.heard if each.path != limits.HELLO]
    assert any("Rejoué".encode() in each.body for each in captured), "nothing carried the news"
    for each in captured:
        again = send(quimper.port, each.method, each.path, each.body, each.headers)
        assert (again.status, decode_error(again.answer)[0]) == (409, "stale_nonce"), each.path
    assert quimper.held() == held


def test_a_captured_request_is_nothing_to_another_town(serving: Nodes, tap: Wiretap) -> None:
    lorient, vannes = serving.towns["Lorient"], serving.towns["Vannes"]
    lorient.sync("Quimper")
    for each in tap.heard:
        elsewhere = send(vannes.port, each.method, each.path, each.body, each.headers)
        assert elsewhere.status == 401


def test_a_captured_request_without_its_signature_is_refused(serving: Nodes, tap: Wiretap) -> None:
    lorient, quimper = serving.towns["Lorient"], serving.towns["Quimper"]
    lorient.sync("Quimper")
    for each in tap.heard:
        bare = {name: said for name, said in each.headers.items() if "sign" not in name.lower()}
        assert send(quimper.port, each.method, each.path, each.body, bare).status == 401


def test_nothing_that_crosses_is_packed_cached_or_a_cookie(serving: Nodes, tap: Wiretap) -> None:
    serving.towns["Lorient"].sync("Quimper")
    for each in tap.heard:
        asked = {name.lower(): said for name, said in each.headers.items()}
        answered = {name.lower(): said for name, said in each.answer_headers.items()}
        assert asked.get("accept-encoding") == "identity"
        assert answered["cache-control"] == "no-store"
        assert answered["content-type"] in (limits.CBOR, limits.CBOR_SEQUENCE)
        assert not {"content-encoding", "set-cookie"} & {*asked, *answered}
        assert "cookie" not in asked


def test_two_commands_that_visit_each_other_at_once_end_well(serving: Nodes) -> None:
    lorient, quimper = serving.towns["Lorient"], serving.towns["Quimper"]
    lorient.publish(150, "Ensemble L")
    quimper.publish(150, "Ensemble Q")
    commands = [
        node.launch("sync", other.name, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for node, other in ((lorient, quimper), (quimper, lorient)) * 2
    ]
    assert [each.wait(timeout=120) for each in commands] == [0] * 4
    lorient.sync("Quimper")
    assert lorient.held() == quimper.held()
    assert lorient.faults() == quimper.faults() == []


def test_a_node_restarted_between_two_requests_goes_on(serving: Nodes, tap: Wiretap) -> None:
    lorient, quimper = serving.towns["Lorient"], serving.towns["Quimper"]
    lorient.sync()
    tap.heard.clear()
    quimper.stop()
    quimper.serve()
    quimper.wait_until_up()
    (visit,) = lorient.sync("Quimper")
    assert (visit["outcome"], visit["round_trips"]) == ("ok", 1)
    assert [each.path for each in tap.heard] == [limits.SUMMARY]
