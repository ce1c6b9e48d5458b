"""The locks hold every library with its hashes and no address; pip's settings reach uv."""

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from tests.house.tree import ROOT

LOCKS = ROOT / "scripts/lock"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("pip_settings", LOCKS / "pip_settings.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


pip_settings = _load()


def _locked(path: Path) -> dict[str, list[str]]:
    """Return name -> hashes of a lock file."""
    found = re.findall(
        r"^([\w-]+)==.*\n((?: +--hash=sha256:[0-9a-f]{64}.*\n)*)", path.read_text(), re.M
    )
    return {name: re.findall(r"[0-9a-f]{64}", hashes) for name, hashes in found}


def _asked(extra: str = "") -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = project["optional-dependencies"][extra] if extra else project["dependencies"]
    return {re.split(r"[<>=]", line)[0].strip() for line in lines}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "uv.txt"])
def test_every_library_of_a_lock_has_hashes_and_no_address(name: str) -> None:
    text = (LOCKS / name).read_text()
    locked = _locked(LOCKS / name)
    assert len(locked) == len(re.findall(r"^[\w-]+==", text, re.M)) > 0
    assert [library for library, hashes in locked.items() if not hashes] == []
    assert not re.search(r"://|--(extra-)?index|--find-links", text)


def test_the_locks_hold_what_the_project_asks_for() -> None:
    run, dev = _locked(LOCKS / "requirements.txt"), _locked(LOCKS / "requirements-dev.txt")
    assert _asked() <= set(run), "run scripts/lock/update"
    assert _asked("dev") <= set(dev), "run scripts/lock/update"
    assert run.items() <= dev.items(), "both locks must hold the same wheels"


def test_a_library_made_of_machine_code_is_locked_for_more_than_one_machine() -> None:
    run = _locked(LOCKS / "requirements.txt")
    few = [
        name
        for name in ("apsw", "cbor2", "cffi", "cryptography", "msgspec", "pillow")
        if len(run[name]) < 20
    ]
    assert few == [], "the lock was made from a partial mirror"


def test_what_pip_is_told_is_told_to_uv() -> None:
    listing = (
        ":env:.find-links='/var/wheels /var/more'\n"
        "global.extra-index-url='https://a.example/simple\\nhttps://b.example/simple'\n"
        "global.index-url='https://mirror.example/simple'\n"
        "install.trusted-host='mirror.example'\n"
        "global.timeout='60'\n"
    )
    assert pip_settings.in_words_of_uv(pip_settings.read_pip_settings(listing), {}) == {
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "UV_INDEX": "https://a.example/simple https://b.example/simple",
        "UV_FIND_LINKS": "/var/wheels,/var/more",
        "UV_INSECURE_HOST": "mirror.example",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }


def test_a_machine_without_settings_leaves_uv_alone() -> None:
    assert pip_settings.in_words_of_uv(pip_settings.read_pip_settings(""), {}) == {}


def test_the_environment_wins_over_files_and_what_is_set_for_uv_is_kept() -> None:
    settings = pip_settings.read_pip_settings(
        ":env:.index-url='https://near.example'\nglobal.index-url='https://far.example'\n"
    )
    assert settings == {"index-url": "https://near.example"}
    words = pip_settings.in_words_of_uv(settings, {"UV_DEFAULT_INDEX": "https://own.example"})
    assert "UV_DEFAULT_INDEX" not in words


@pytest.mark.parametrize(
    ("settings", "environ"),
    [
        ({"cert": "/etc/ca.pem"}, {}),
        ({}, {"REQUESTS_CA_BUNDLE": "/etc/ca.pem"}),
    ],
)
def test_a_certificate_pip_trusts_is_trusted_by_uv(settings, environ) -> None:
    words = pip_settings.in_words_of_uv(settings, environ)
    assert words == {"SSL_CERT_FILE": "/etc/ca.pem", "UV_SYSTEM_CERTS": "true"}


def test_behind_a_proxy_uv_trusts_the_certificates_of_the_system() -> None:
    words = pip_settings.in_words_of_uv({"proxy": "http://proxy.example:3128"}, {})
    assert words == {"HTTPS_PROXY": "http://proxy.example:3128", "UV_SYSTEM_CERTS": "true"}
