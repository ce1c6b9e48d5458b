"""Anna, her codes, and how a refusal is looked at: what the tests of members share."""

from typing import Any

import pytest

from node.members import accounts, codes
from node.store.people import members

NOW = 1_795_000_000_000
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
SECRET = b"s" * 32
MAIL = "anna@example.org"
HERE = "192.0.2.7"


def anna(role: str = "", email: str | None = MAIL) -> members.Member:
    return accounts.create("Anna", email, roles=(role,) if role else (), now_ms=NOW)


def issue(purpose: str = "login", **who: Any) -> str:
    return codes.issue(purpose, secret=SECRET, now_ms=NOW, **who)


def enter(
    code: str, email: str | None = None, now_ms: int = NOW, address: str = HERE
) -> members.Member:
    tried = codes.attempt(code, email, address=address, secret=SECRET, now_ms=now_ms)
    return codes.redeem(tried)


def refusal(kind: type[Exception], act: Any, *args: Any, **named: Any) -> str:
    with pytest.raises(kind) as refused:
        act(*args, **named)
    error: Any = refused.value
    assert error.message % error.params
    return str(error.code)
