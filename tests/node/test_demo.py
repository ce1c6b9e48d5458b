"""The demonstration: its ports, and what each town is dealt."""

import socket

import pytest

from node.cli import show
from node.cli.seed import TOWNS, _share
from node.practices.registry import PRACTICES


def test_each_town_has_its_own_port_where_it_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(show, "_is_free", lambda port: True)
    assert show._ports() == {"Lorient": 8001, "Quimper": 8002, "Vannes": 8003}


def test_a_taken_port_gives_way_to_the_next_free_one_and_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(show, "_is_free", lambda port: port != 8002)
    assert show._ports() == {"Lorient": 8001, "Quimper": 8004, "Vannes": 8003}
    assert "Port 8002 is taken; Quimper listens on 8004" in capsys.readouterr().out


def test_a_listening_socket_makes_its_port_taken() -> None:
    with socket.socket() as server:
        server.bind((show.HOST, 0))
        server.listen()
        assert not show._is_free(server.getsockname()[1])


@pytest.mark.parametrize("slug", TOWNS)
def test_each_town_is_dealt_some_seventy_listings(slug: str) -> None:
    assert 50 <= sum(len(_share(practice, slug)) for practice in PRACTICES) <= 90


def test_the_trailer_is_lorients_alone() -> None:
    lending = PRACTICES[0]
    holders = [
        slug
        for slug in TOWNS
        if any(item["title"].startswith("Remorque à vélo") for item in _share(lending, slug))
    ]
    assert holders == ["lorient"]
