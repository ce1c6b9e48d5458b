"""The post: how letters leave. The only door to smtplib; without a server they become files."""

import os
import secrets
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from node.notices.letters import Letter

TIMEOUT_S = 20.0


class PostError(Exception):
    """A letter could not be handed over; `is_down` when no other would have better luck now."""

    def __init__(self, reason: str, *, is_down: bool) -> None:
        super().__init__(reason)
        self.is_down = is_down


class Counter(Protocol):
    """Where letters are handed in, one at a time."""

    def hand_in(self, letter: Letter, now_ms: int) -> None:
        """Hand one over; raises PostError."""


class Post(Protocol):
    """A way for letters to leave."""

    def open(self) -> AbstractContextManager[Counter]:
        """Open the counter for a batch; raises PostError."""


def post_of(config: Any) -> Post:
    """Return the post the settings describe."""
    return SmtpPost(config) if config.smtp_host else FilePost(config)


def message(letter: Letter, sender: str, host: str, now_ms: int) -> EmailMessage:
    """Return a letter as a mail; raises PostError when its words cannot be headers.

    Message-ID is random and named for the town's address: it tells nothing of the machine.
    """
    mail = EmailMessage(policy=SMTP)
    if not letter.to.isprintable():
        raise PostError("not an address: it has control characters", is_down=False)
    try:
        mail["From"] = sender
        mail["To"] = letter.to
        mail["Subject"] = letter.subject
    except ValueError as error:
        raise PostError(f"not a mail: {error}", is_down=False) from error
    mail["Date"] = format_datetime(datetime.fromtimestamp(now_ms / 1000, UTC))
    mail["Message-ID"] = f"<{secrets.token_hex(16)}@{host}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers, please
    mail.set_content(letter.body)
    mail["Content-Language"] = letter.language
    return mail


class FilePost:
    """Letters as files of the home folder, one .eml each, for who has no mail server."""

    def __init__(self, config: Any) -> None:
        self.folder = Path(config.mail)
        self.sender, self.host = _sender(config)

    @contextmanager
    def open(self) -> Iterator[Counter]:
        """Make the folder; raises PostError."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise PostError(str(error), is_down=True) from error
        yield self

    def hand_in(self, letter: Letter, now_ms: int) -> None:
        """Write one file, whole or not at all, readable by the node's user alone."""
        raw = message(letter, self.sender, self.host, now_ms).as_bytes()
        path = self.folder / f"{now_ms}-{secrets.token_hex(4)}.eml"
        part = path.with_suffix(".part")
        try:
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except OSError as error:
            raise PostError(str(error), is_down=True) from error


class SmtpPost:
    """Letters through a mail server (settings smtp_*)."""

    def __init__(self, config: Any) -> None:
        self.config = config
        self.sender, self.host = _sender(config)

    @contextmanager
    def open(self) -> Iterator[Counter]:
        """Connect and log in; raises PostError."""
        try:
            server = self._connect()
        except (smtplib.SMTPException, OSError) as error:
            raise PostError(str(error), is_down=True) from error
        try:
            yield _SmtpCounter(server, self)
        finally:
            _leave(server)

    def _connect(self) -> smtplib.SMTP:
        config, context = self.config, ssl.create_default_context()
        host, port = config.smtp_host, config.smtp_port
        if config.smtp_security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, port, self.host, TIMEOUT_S, context=context
            )
        else:
            server = smtplib.SMTP(host, port, self.host, TIMEOUT_S)
        try:
            if config.smtp_security == "starttls":
                server.starttls(context=context)
            if config.smtp_user:
                password = Path(config.smtp_password_file).read_text("utf-8").strip()
                server.login(config.smtp_user, password)
        except Exception:
            server.close()
            raise
        return server


class _SmtpCounter:
    def __init__(self, server: smtplib.SMTP, post: SmtpPost) -> None:
        self.server, self.post = server, post

    def hand_in(self, letter: Letter, now_ms: int) -> None:
        mail = message(letter, self.post.sender, self.post.host, now_ms)
        try:
            self.server.send_message(mail)
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            # SMTPException is an OSError: only what is about this one letter is told apart
            about_one = (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused)
            is_down = not isinstance(error, (*about_one, smtplib.SMTPNotSupportedError))
            raise PostError(str(error), is_down=is_down) from error
        except ValueError as error:  # an address no mail can carry
            raise PostError(str(error), is_down=False) from error


def _leave(server: smtplib.SMTP) -> None:
    try:
        server.quit()
    except (smtplib.SMTPException, OSError):
        server.close()


def _sender(config: Any) -> tuple[str, str]:
    """Return (From, host): the setting, else lavoir@ the host of the town's address."""
    host = urlsplit(config.url).hostname or "localhost"
    return config.mail_from or f"lavoir@{host}", host
