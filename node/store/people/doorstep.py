"""The doorstep: looks at codes, sessions and form tokens without using them up."""

from node.store.database import write_tx
from node.store.people.login_codes import LoginCode
from node.store.people.sessions import Session
from node.store.people.tokens import FormToken


def code_is_good(code_hash: bytes, now_ms: int) -> bool:
    """Return whether a code could be spent now."""
    good = (LoginCode.until_ms > now_ms) & (LoginCode.tries_left > 0)
    return LoginCode.select().where(LoginCode.code_hash == code_hash, good).exists()


def forget_codes(member: int, email: str | None) -> None:
    """Delete every code of a person (suspension, erasure)."""
    with write_tx():
        LoginCode.delete().where(LoginCode.member == member).execute()
        if email:
            LoginCode.delete().where(LoginCode.email == email).execute()


def session(token_hash: bytes, now_ms: int) -> Session | None:
    """Return a session that still lasts."""
    return Session.get_or_none(Session.token_hash == token_hash, Session.until_ms > now_ms)


def lengthen(token_hash: bytes, until_ms: int) -> None:
    """Let a session last until another moment."""
    with write_tx():
        Session.update(until_ms=until_ms).where(Session.token_hash == token_hash).execute()


def used(token: bytes) -> FormToken | None:
    """Return what a form token was used for and answered, None while it is unused."""
    return FormToken.get_or_none(FormToken.token == token)


def release(token: bytes) -> None:
    """Give a form token back that was taken and not answered: what it was for did not happen."""
    with write_tx():
        FormToken.delete().where(FormToken.token == token, FormToken.status == 0).execute()
