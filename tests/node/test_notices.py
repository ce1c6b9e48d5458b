"""Notices: written from the state of now, sent once, tried again, never a way into a header."""

import email
import email.policy
import smtplib
import socketserver
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from node.domain.clock import FixedClock
from node.notices import Letter, PostError, Sender, post_of, queue_code
from node.notices.letters import TEXTS, written
from node.notices.post import FilePost, SmtpPost, message
from node.store import notices
from node.store.database import open_database, using, write_tx
from node.store.notices import Notice
from node.store.schema import migrate

NOW = 1_795_000_000_000
MINUTE = 60_000
TO = "anna@example.org"


@pytest.fixture
def config(home: Path) -> Any:
    return SimpleNamespace(
        mail=home / "mail", url="https://lorient.example", mail_from="", smtp_host="",
        smtp_port=25, smtp_security="none", smtp_user="", smtp_password_file="",
    )  # fmt: skip


@pytest.fixture
def clock(home: Path) -> Iterator[FixedClock]:
    database = open_database(home / "lavoir.db")
    migrate(database)
    with using(database):
        yield FixedClock(NOW)
    database.close()


def letter(subject: str = "Une remorque à Lorient", to: str = TO) -> Letter:
    return Letter(to, "fr", subject, "Elle vous attend à l\u2019accueil.\n")


def sender(config: Any, clock: FixedClock, write: Any = None, limit: int = 200) -> Sender:
    return Sender(post_of(config), {"told": write or (lambda notice: letter())}, clock, limit)


def tell(clock: FixedClock, **columns: Any) -> Notice:
    return notices.queue("told", now_ms=clock.now_ms(), **columns)


def mails(config: Any) -> list[Any]:
    files = sorted(config.mail.glob("*.eml"))
    return [
        email.message_from_bytes(each.read_bytes(), policy=email.policy.default) for each in files
    ]


# ── sending ──────────────────────────────────────────────────────────────────────────────────────


def test_without_a_server_each_mail_is_a_file_only_the_node_can_read(
    config: Any, clock: FixedClock
) -> None:
    tell(clock)
    assert sender(config, clock).send_due() == 1
    (mail,) = mails(config)
    assert (mail["To"], mail["From"], mail["Subject"]) == (
        TO, "lavoir@lorient.example", "Une remorque à Lorient",
    )  # fmt: skip
    assert mail.get_content().strip() == "Elle vous attend à l\u2019accueil."
    assert mail["Auto-Submitted"] == "auto-generated" and mail["Date"].datetime.year == 2026
    assert mail["Message-ID"].endswith("@lorient.example>")
    (file,) = config.mail.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_notice_is_sent_once(config: Any, clock: FixedClock) -> None:
    tell(clock)
    mine = sender(config, clock)
    assert [mine.send_due(), mine.send_due()] == [1, 0]
    assert mine.is_due() is False and len(mails(config)) == 1


def test_a_notice_lives_and_dies_with_what_it_tells(config: Any, clock: FixedClock) -> None:
    with pytest.raises(ZeroDivisionError), write_tx():
        tell(clock)
        raise ZeroDivisionError
    assert sender(config, clock).send_due() == 0


def test_the_state_is_looked_at_again_when_it_is_really_sent(
    config: Any, clock: FixedClock
) -> None:
    state = {"says": "asked"}

    def write(notice: Notice) -> Letter | None:
        return None if state["says"] == "withdrawn" else letter(state["says"])

    tell(clock), tell(clock)
    mine = sender(config, clock, write)
    state["says"] = "accepted"
    assert mine.send_due(limit=1) == 1
    state["says"] = "withdrawn"
    assert mine.send_due() == 0 and mine.is_due() is False
    assert [mail["Subject"] for mail in mails(config)] == ["accepted"]


def test_what_was_said_is_forgotten_once_sent(config: Any, clock: FixedClock) -> None:
    notice = tell(clock, address=TO, params="CANARY")
    sender(config, clock).send_due()
    row = Notice.get_by_id(notice.id)
    assert (row.params, row.address, row.sent_ms) == ("", "", NOW)


def test_one_letter_that_cannot_be_written_holds_up_no_other(
    config: Any, clock: FixedClock
) -> None:
    def write(notice: Notice) -> Letter | None:
        if notice.params == "bad":
            raise ZeroDivisionError("bad")
        return letter(to="two@@example" if notice.params == "address" else TO)

    bad = tell(clock, params="bad")
    unknown = notices.queue("unheard of", now_ms=NOW)
    tell(clock)
    assert sender(config, clock, write).send_due() == 1
    for notice in (bad, unknown):
        row = Notice.get_by_id(notice.id)
        assert row.attempts == 1 and row.next_try_ms == NOW + MINUTE and row.last_error


def test_a_server_that_is_down_is_tried_again_later_and_later(
    config: Any, clock: FixedClock
) -> None:
    config.mail.write_text("a file where the folder should be")
    one, two = tell(clock), tell(clock)
    mine = sender(config, clock)
    waits = []
    for _ in range(5):
        assert mine.send_due() == 0
        row = Notice.get_by_id(one.id)
        waits.append((row.next_try_ms - clock.now_ms()) // MINUTE)
        clock.at_ms = row.next_try_ms
    assert waits == [1, 2, 4, 8, 16] and Notice.get_by_id(two.id).attempts == 5
    config.mail.unlink()
    assert mine.send_due() == 2


def test_no_more_leave_in_an_hour_than_the_settings_say(config: Any, clock: FixedClock) -> None:
    for _ in range(5):
        tell(clock)
    mine = sender(config, clock, limit=3)
    assert [mine.send_due(), mine.send_due()] == [3, 0]
    clock.forward(hours=1)
    assert mine.send_due() == 2


# ── words ────────────────────────────────────────────────────────────────────────────────────────

VALUES = {
    "code": "7K3M 9QXT", "minutes": 15, "url": "https://lorient.example/x", "title": "Une remorque",
    "state": "Acceptée", "sentence": "C\u2019est oui.", "town": "Lorient", "manager": "",
    "account_url": "https://lorient.example/compte", "text": "Une raison.",
    "until": "demain", "then": "Perdue",
}  # fmt: skip


def say(msgid: str, **values: Any) -> str:
    return msgid % values


@pytest.mark.parametrize("kind", TEXTS)
def test_every_kind_can_be_written_and_says_where_it_comes_from(kind: str) -> None:
    for manager in ("", "Les Mains du Loch"):
        mail = written(kind, TO, "fr", say, {**VALUES, "manager": manager})
        assert "Lorient" in mail.body and manager in mail.body and "%" not in mail.body
        assert "https://lorient.example/" in mail.body and mail.subject


def test_a_code_is_queued_without_the_code(clock: FixedClock) -> None:
    notice = queue_code(TO, "br", NOW)
    row = Notice.get_by_id(notice.id)
    assert (row.kind, row.address, row.params) == ("code", TO, '{"language": "br"}')


@pytest.mark.parametrize(
    "title",
    ["a\r\nBcc: evil@example.org", "a\nb", "\u2028x", "=?utf-8?q?x?=", "x" * 500, "\0", "\r"],
)
def test_a_title_never_becomes_a_header_of_its_own(title: str) -> None:
    mail = written("engagement_asked", TO, "fr", say, {**VALUES, "title": title})
    raw = message(mail, "lavoir@lorient.example", "lorient.example", NOW).as_bytes()
    head = email.message_from_bytes(raw, policy=email.policy.default)
    assert head["Bcc"] is None and head["To"] == TO
    assert {name.lower() for name in head} == {
        "from", "to", "subject", "date", "message-id", "auto-submitted", "content-language",
        "content-type", "content-transfer-encoding", "mime-version",
    }  # fmt: skip


def test_an_address_that_is_two_is_refused() -> None:
    for to in ("a@example.org\r\nBcc: b@example.org", "a@example.org\n"):
        with pytest.raises(PostError) as refused:
            message(letter(to=to), "lavoir@lorient.example", "lorient.example", NOW)
        assert refused.value.is_down is False


# ── a real mail server on loopback ───────────────────────────────────────────────────────────────


class Desk(socketserver.StreamRequestHandler):
    """A mail server of a few lines: refuses `nobody@`, goes away at `bye@`."""

    def handle(self) -> None:
        said: Any = self.server
        self.reply("220 hello")
        while line := self.rfile.readline():
            word = line.split(b":")[0].split()[0].upper().decode()
            if b"nobody@" in line:
                self.reply("550 no such person")
            elif b"bye@" in line:
                return
            elif word == "DATA":
                self.reply("354 go on")
                body = b"".join(iter(self.rfile.readline, b".\r\n"))
                said.taken.append(body)
                self.reply("250 taken")
            elif word == "QUIT":
                return self.reply("221 bye")
            else:
                self.reply("250 fine")
        return None

    def reply(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


@pytest.fixture
def server(config: Any) -> Iterator[Any]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Desk) as desk:
        desk.taken = []  # type: ignore[attr-defined]
        desk.daemon_threads = True
        thread = threading.Thread(target=desk.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        config.smtp_host, config.smtp_port = "127.0.0.1", desk.server_address[1]
        yield desk
        desk.shutdown()
        thread.join()


def test_mails_go_through_the_server_of_the_settings(
    config: Any, clock: FixedClock, server: Any
) -> None:
    assert isinstance(post_of(config), SmtpPost)
    tell(clock), tell(clock)
    assert sender(config, clock).send_due() == 2
    assert len(server.taken) == 2 and b"To: anna@example.org" in server.taken[0]
    assert not config.mail.exists()


def test_a_refused_address_holds_up_no_other(config: Any, clock: FixedClock, server: Any) -> None:
    def write(notice: Notice) -> Letter | None:
        return letter(to=notice.address)

    refused = tell(clock, address="nobody@example.org")
    tell(clock, address=TO)
    assert sender(config, clock, write).send_due() == 1
    assert "550" in Notice.get_by_id(refused.id).last_error


def test_a_server_that_goes_away_loses_nothing(config: Any, clock: FixedClock, server: Any) -> None:
    def write(notice: Notice) -> Letter | None:
        return letter(to=notice.address)

    for address in (TO, "bye@example.org", TO):
        tell(clock, address=address)
    mine = sender(config, clock, write)
    assert mine.send_due() == 1
    clock.forward(minutes=1)
    rows = list(Notice.select().order_by(Notice.id))
    assert [row.sent_ms is not None for row in rows] == [True, False, False]
    assert all(row.attempts == 1 for row in rows[1:])


def test_a_password_file_that_is_not_there_is_told(
    config: Any, clock: FixedClock, server: Any
) -> None:
    config.smtp_user, config.smtp_password_file = "lavoir", str(config.mail / "absent")
    notice = tell(clock)
    assert sender(config, clock).send_due() == 0
    assert "absent" in Notice.get_by_id(notice.id).last_error
    assert isinstance(FilePost(config).sender, str) and smtplib.SMTP_PORT == 25
