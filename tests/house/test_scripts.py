"""The commands a newcomer types say what they need and pass on what they are given."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT

PYTHONS = ("python3.14", "python3.13", "python3.12", "python3.11", "python3")
WITHOUT_ENSUREPIP = f'case "$*" in *ensurepip*) exit 1 ;; esac\nexec "{sys.executable}" "$@"'
RECORDER = """echo "$LAVOIR_HOME: $*" >>"$LOG"
if [ "$1" = init ]; then mkdir -p "$LAVOIR_HOME" && : >"$LAVOIR_HOME/town.keys" && echo words; fi
exit "${EXIT:-0}"
"""


def _command(path: Path, body: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def _start(checkout: Path, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    path = f"{checkout / 'bin'}:/usr/local/bin:/usr/bin:/bin"
    return subprocess.run(
        [str(checkout / "scripts" / command[0]), *command[1:]],
        env={"PATH": path, "HOME": str(checkout), "LOG": str(checkout / "log"), **environ},
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the real scripts, below a folder with a space in its name."""
    root = tmp_path / "our box"
    shutil.copytree(ROOT / "scripts/lock", root / "scripts/lock")
    for name in ("_env", "run"):
        shutil.copy(ROOT / "scripts" / name, root / "scripts")
    return root


@pytest.fixture
def bare(checkout: Path) -> Path:
    """The same on a machine as minimal as Debian's, of a person who is not root."""
    for name in PYTHONS:
        _command(checkout / "bin" / name, WITHOUT_ENSUREPIP)
    _command(checkout / "bin/id", "echo 1000")
    _command(checkout / "bin/apt-get", 'echo "apt-get $*" >>"$LOG"; exit 1')
    return checkout


@pytest.fixture
def ready(checkout: Path) -> Path:
    """The same with an environment whose `lavoir` writes down how it was called."""
    _command(checkout / "scripts/_env", ":")
    _command(checkout / ".venv/bin/lavoir", RECORDER)
    return checkout


def _log(checkout: Path) -> list[str]:
    path = checkout / "log"
    return path.read_text().splitlines() if path.exists() else []


def test_without_venv_the_line_to_type_is_shown_and_nothing_is_made(bare: Path) -> None:
    done = _start(bare, "_env")
    package = f"python3.{sys.version_info.minor}-venv"
    assert done.returncode == 1
    assert f"sudo apt-get install {package}\n" in done.stderr
    assert not (bare / ".venv").exists()
    assert _log(bare) == []


def test_root_gets_venv_installed_and_is_told_when_that_fails(bare: Path) -> None:
    _command(bare / "bin/id", "echo 0")
    done = _start(bare, "_env")
    assert done.returncode == 1
    assert "-venv could not be installed" in done.stderr
    assert _log(bare)[0].startswith("apt-get install -y --no-install-recommends python3.")
    assert _log(bare)[1] == "apt-get update"


def test_without_a_python_that_suits_the_line_to_type_is_shown(bare: Path) -> None:
    for name in PYTHONS:
        _command(bare / "bin" / name, "exit 1")
    done = _start(bare, "_env")
    assert done.returncode == 1
    assert "Python 3.11 or later" in done.stderr
    assert "sudo apt-get install python3 python3-venv\n" in done.stderr


def test_the_first_run_creates_the_town_and_the_next_only_serves(ready: Path) -> None:
    home = ready / "home"
    done = _start(ready, "run", LAVOIR_NAME="Auray", LAVOIR_INSEE="56007")
    assert done.returncode == 0
    assert _start(ready, "run", "--port", "9000").returncode == 0
    assert _log(ready) == [
        f"{home}: init --name Auray --insee 56007 --url http://127.0.0.1:8000",
        f"{home}: serve",
        f"{home}: serve --port 9000",
    ]


def test_recovery_words_that_nobody_sees_go_to_a_file_for_one_person(ready: Path) -> None:
    done = _start(ready, "run")
    words = ready / "home/recovery-words.txt"
    assert words.read_text() == "words\n"
    assert stat.S_IMODE(words.stat().st_mode) == 0o600
    assert str(words) in done.stderr
    assert "words\n" not in done.stdout


def test_a_town_that_could_not_be_created_is_not_served(ready: Path) -> None:
    done = _start(ready, "run", EXIT="3")
    assert done.returncode == 3
    assert [line.split()[-1] for line in _log(ready) if "serve" in line] == []


def test_commands_and_the_demo_are_passed_on_with_their_exit_code(ready: Path) -> None:
    elsewhere = str(ready / "elsewhere")
    status = _start(ready, "run", "lavoir", "status", "--json", EXIT="2", LAVOIR_HOME=elsewhere)
    assert status.returncode == 2
    assert _start(ready, "run", "demo", "--fresh").returncode == 0
    assert _log(ready) == [f"{elsewhere}: status --json", f"{ready}/home: demo --fresh"]


def test_run_works_through_a_link_and_explains_itself(ready: Path) -> None:
    link = ready / "bin/sharing"
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(ready / "scripts/run")
    done = subprocess.run([str(link), "--help"], capture_output=True, text=True, env={**os.environ})
    assert done.stdout.startswith("Starts Lavoir")
    assert "set -eu" not in done.stdout
