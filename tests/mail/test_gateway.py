"""Handing e-mails to a mail server, here a small one on this machine that answers as it is told to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from email import message_from_bytes
from email.header import decode_header, make_header
from uuid import UUID

import pytest

from config import Settings, SettingsError
from crm.mail.gateway import SmtpGateway, sender_of
from crm.mail.rules import Accepted, NoAnswer, Outgoing, Refused, TryAgain

LETTER = Outgoing(UUID(int=1), UUID(int=2), "lan@example.vn", "Xác nhận đóng góp", "Chào chị Lan.\nMời chị xác nhận.\n")
HANG_UP = "hang up"


class SmallServer(threading.Thread):
    """Speaks SMTP to one caller. `answers` by command: a line, or HANG_UP."""

    def __init__(self, answers: dict[str, str]) -> None:
        super().__init__(daemon=True)
        self.answers, self.received, self.said = answers, b"", list[str]()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]

    def run(self) -> None:
        with closing(self._door), self._door.accept()[0] as caller, caller.makefile("rwb") as lines:
            self._say(lines, self.answers.get("hello", "220 here"))
            while line := lines.readline():
                command = line.decode().split()[0].upper()
                self.said.append(command)
                answer = self.answers.get(command, {"DATA": "354 go on", "QUIT": "221 bye"}.get(command, "250 ok"))
                if answer == HANG_UP:
                    return
                self._say(lines, answer)
                if command == "DATA" and answer.startswith("354"):
                    self.received = b"".join(iter(lines.readline, b".\r\n"))
                    after = self.answers.get("text", "250 taken")
                    if after == HANG_UP:
                        return
                    self._say(lines, after)

    @staticmethod
    def _say(lines: object, text: str) -> None:
        lines.write(text.encode() + b"\r\n")  # type: ignore[attr-defined]
        lines.flush()  # type: ignore[attr-defined]


@pytest.fixture
def server() -> Iterator[Callable[..., SmallServer]]:
    started: list[SmallServer] = []

    def start(**answers: str) -> SmallServer:
        started.append(SmallServer(answers))
        started[-1].start()
        return started[-1]

    yield start
    for one in started:
        one.join(timeout=5)


def gateway(server: SmallServer) -> SmtpGateway:
    return SmtpGateway(f"smtp://127.0.0.1:{server.port}", "An Sinh <quy@bimson.example>")


def test_a_letter_arrives_whole_with_its_accents(server: Callable[..., SmallServer]) -> None:
    there = server()
    assert gateway(there).send(LETTER) == Accepted()
    arrived = message_from_bytes(there.received)
    assert str(make_header(decode_header(arrived["Subject"]))) == LETTER.subject
    assert arrived["To"] == "lan@example.vn"
    assert arrived["Message-ID"] == f"<{LETTER.id}@bimson.example>"
    payload = arrived.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode().replace("\r\n", "\n") == LETTER.body


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ({"RCPT": "550 no such user"}, Refused("550 no such user")),
        ({"RCPT": "451 greylisted"}, TryAgain("451 greylisted")),
        ({"MAIL": "553 not you"}, Refused("553 not you")),
        ({"text": "554 spam"}, Refused("554 spam")),
        ({"text": "452 full"}, TryAgain("452 full")),
    ],
)
def test_a_no_is_for_good_and_a_later_is_later(
    server: Callable[..., SmallServer], answers: dict[str, str], outcome: object
) -> None:
    assert gateway(server(**answers)).send(LETTER) == outcome


def test_a_line_that_breaks_after_the_text_leaves_us_not_knowing(server: Callable[..., SmallServer]) -> None:
    assert isinstance(gateway(server(text=HANG_UP)).send(LETTER), NoAnswer)


def test_a_server_that_is_not_there_is_asked_again(server: Callable[..., SmallServer]) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as door:
        nobody = door.getsockname()[1]
    assert isinstance(SmtpGateway(f"smtp://127.0.0.1:{nobody}", "a@b.vn").send(LETTER), TryAgain)
    assert isinstance(gateway(server(hello="421 closed")).send(LETTER), TryAgain)


@pytest.mark.parametrize(
    ("url", "sender"),
    [
        ("smtp://mail.town.vn?from=quy@town.vn", "quy@town.vn"),
        ("smtps://quy%40town.vn:secret@mail.town.vn", "quy@town.vn"),
        ("smtp://user:secret@mail.town.vn", "an-sinh@so.town.vn"),
    ],
)
def test_who_writes_follows_from_the_setting(url: str, sender: str) -> None:
    settings = Settings(
        database_url="x", migrate_database_url="x", redis_url="", smtp_url=url, public_url="https://so.town.vn"
    )
    assert sender_of(settings) == sender


def test_another_kind_of_address_is_refused_at_the_start() -> None:
    with pytest.raises(SettingsError, match="SMTP_URL"):
        Settings(database_url="x", migrate_database_url="x", redis_url="", smtp_url="https://mail.town.vn")
