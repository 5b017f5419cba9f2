"""The one module that knows SMTP, and its plain twin: a mailbox on this machine that only keeps what it is given."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from config import Settings
from crm.clock import now
from crm.mail.rules import Accepted, NoAnswer, Outcome, Outgoing, Refused, TryAgain

PATIENCE = 20
"""Seconds until a call to the server counts as unanswered."""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
PORTS = {"smtp": 587, "smtps": 465}


class MailGateway(Protocol):
    """What the program knows of a carrier of e-mail."""

    def send(self, message: Outgoing) -> Outcome:
        """Hand one e-mail over. Never raises for what the server or the network does."""


@dataclass(frozen=True)
class SmtpGateway:
    """A mail server: `smtp://user:password@host:587?from=an-sinh@town.vn`, or `smtps://…` for TLS from the start.

    A password is only said over TLS, or to this machine.
    """

    url: str
    sender: str

    def send(self, message: Outgoing) -> Outcome:
        """One connection, one e-mail; never repeated by itself. Its Message-ID is that of the row."""
        try:
            server = self._open()
        except smtplib.SMTPAuthenticationError as refusal:
            return TryAgain(_words(refusal))
        except (OSError, smtplib.SMTPException) as failure:
            return TryAgain(str(failure) or type(failure).__name__)
        try:
            server.send_message(self._written(message))
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as refusal:
            return _understood(refusal)
        except smtplib.SMTPNotSupportedError as refusal:
            return Refused(str(refusal))
        except (OSError, smtplib.SMTPException) as failure:
            return NoAnswer(str(failure) or type(failure).__name__)
        finally:
            _close(server)
        return Accepted()

    def _open(self) -> smtplib.SMTP:
        parts = urlsplit(self.url)
        host, port = parts.hostname or "localhost", parts.port or PORTS[parts.scheme]
        context = ssl.create_default_context()
        server: smtplib.SMTP
        if parts.scheme == "smtps":
            server = smtplib.SMTP_SSL(host, port, timeout=PATIENCE, context=context)
        else:
            server = smtplib.SMTP(host, port, timeout=PATIENCE)
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=context)
            elif parts.username and host not in LOOPBACK:
                _close(server)
                raise smtplib.SMTPNotSupportedError("the server offers no TLS, so the password is not said")
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        return server

    def _written(self, message: Outgoing) -> EmailMessage:
        written = EmailMessage(policy=SMTP)
        written["From"] = self.sender
        written["To"] = message.to
        written["Subject"] = message.subject
        written["Date"] = format_datetime(now())
        written["Message-ID"] = f"<{message.id}@{self.sender.rpartition('@')[2].rstrip('>')}>"
        written["Auto-Submitted"] = "auto-generated"
        written.set_content(message.body)
        return written


def _understood(refusal: smtplib.SMTPException) -> Outcome:
    """Codes from 500 are a no; those from 400 mean: later (RFC 5321, 4.2.1)."""
    if isinstance(refusal, smtplib.SMTPRecipientsRefused):
        code = max(code for code, _said in refusal.recipients.values())
    else:
        code = int(getattr(refusal, "smtp_code", 0))
    return Refused(_words(refusal)) if code >= 500 else TryAgain(_words(refusal))


def _words(refusal: smtplib.SMTPException) -> str:
    """What the server said, in one line."""
    if isinstance(refusal, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(refusal.recipients.values()))
    else:
        code, said = getattr(refusal, "smtp_code", 0), getattr(refusal, "smtp_error", b"")
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return " ".join(f"{code} {text}".split())[:300]


def _close(server: smtplib.SMTP) -> None:
    try:
        server.quit()
    except (OSError, smtplib.SMTPException):
        server.close()


@dataclass
class SandboxMailbox:
    """The twin: accepts everything; the rows themselves are the mailbox that the page shows. `answers` by address."""

    answers: dict[str, Outcome] = field(default_factory=dict)
    taken: list[Outgoing] = field(default_factory=list)

    def send(self, message: Outgoing) -> Outcome:
        """Keep it, unless the answer for this address says that nothing was taken."""
        outcome = self.answers.get(message.to) or Accepted(keeps=True)
        if isinstance(outcome, Accepted | NoAnswer):
            self.taken.append(message)
        return outcome


def send_all(gateway: MailGateway, batch: Iterable[Outgoing]) -> Sequence[tuple[Outgoing, Outcome]]:
    """Hand a batch over. When the server turns one away for now, the others are not tried now."""
    outcomes: list[tuple[Outgoing, Outcome]] = []
    away: TryAgain | None = None
    for message in batch:
        outcome = away or gateway.send(message)
        away = outcome if isinstance(outcome, TryAgain) else away
        outcomes.append((message, outcome))
    return outcomes


def sandboxed(settings: Settings) -> bool:
    """Whether e-mails go into the mailbox on this machine. Never in production: its page would show links that open."""
    return settings.smtp_url is None and not settings.production


@lru_cache(maxsize=4)
def gateway_of(settings: Settings) -> MailGateway | None:
    """What carries e-mail for these settings; None when there is nothing, and then nothing is claimed."""
    if settings.smtp_url is None:
        return SandboxMailbox() if sandboxed(settings) else None
    return SmtpGateway(settings.smtp_url, sender_of(settings))


def sender_of(settings: Settings) -> str:
    """Who writes: `from` of the address, else its user when that is an address, else an-sinh at our own host."""
    parts = urlsplit(settings.smtp_url or "")
    told = parse_qs(parts.query).get("from", [""])[0] or unquote(parts.username or "")
    if parseaddr(told)[1].count("@") == 1:
        return told
    return f"an-sinh@{urlsplit(settings.public_url).hostname or 'localhost'}"
