"""Papers that were issued, whose account belongs to which sponsor, what a sponsor lets everybody see, and who agreed to
be named to whom.

A paper's `serial` follows the one before it by a foreign key, so that the database itself refuses a gap, as the unique
key refuses a number twice; papers and consents are append-only (migrations, crm/privileges.py).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, TownRow, refers
from crm.sponsors.letters.rules import PaperKind, Way


class SponsorPaper(TownRow, Model):
    """A receipt, a certificate or a statement with what stands in it. Append-only: it is made again from here."""

    __tablename__ = "sponsor_paper"
    __table_args__ = (
        refers("sponsor_id", "sponsor"),
        refers("receipt_id", "receipt"),
        refers("issued_by_id", "account"),
        UniqueConstraint("town_id", "kind", "year", "serial"),
        UniqueConstraint("town_id", "receipt_id"),
        ForeignKeyConstraint(
            ["town_id", "kind", "year", "follows"],
            ["sponsor_paper.town_id", "sponsor_paper.kind", "sponsor_paper.year", "sponsor_paper.serial"],
            name="fk_sponsor_paper_follows",
        ),
        CheckConstraint("follows is not distinct from nullif(serial - 1, 0)", name="unbroken"),
        CheckConstraint("serial > 0", name="serial"),
        CheckConstraint("extract(year from issued_on) = year", name="year"),
        CheckConstraint("(kind = 'receipt') = (receipt_id is not null)", name="of_a_receipt"),
        Index(None, "town_id", "sponsor_id", "issued_at"),
    )

    sponsor_id: Mapped[UUID]
    kind: Mapped[PaperKind]
    year: Mapped[int]
    serial: Mapped[int]
    follows: Mapped[int | None]
    """The serial before this one, which must be there."""
    number: Mapped[str] = mapped_column(unique=True)
    """What anybody can verify it by (rules.paper_number)."""
    receipt_id: Mapped[UUID | None]
    of_year: Mapped[int | None]
    """The year a statement or certificate is about; None: of all the time."""
    facts: Mapped[dict[str, Any]]
    """All that is printed, in plain values."""
    issued_on: Mapped[date]
    issued_at: Mapped[datetime]
    issued_by_id: Mapped[UUID | None]
    """None: the sponsor asked for it on their own page."""


class SponsorAccount(TownRow, Model):
    """Whoever signs in with this account sees this sponsor's page, and no other's."""

    __tablename__ = "sponsor_account"
    __table_args__ = (
        refers("sponsor_id", "sponsor"),
        refers("user_id", "account"),
        refers("added_by_id", "account"),
        UniqueConstraint("town_id", "user_id"),
        Index(None, "town_id", "sponsor_id"),
    )

    sponsor_id: Mapped[UUID]
    user_id: Mapped[UUID]
    added_at: Mapped[datetime]
    added_by_id: Mapped[UUID | None]


class SponsorPublicity(TownRow, Model):
    """What of a sponsor everybody may see. No row: nothing."""

    __tablename__ = "sponsor_publicity"
    __table_args__ = (refers("sponsor_id", "sponsor"), UniqueConstraint("town_id", "sponsor_id"))

    sponsor_id: Mapped[UUID]
    public_id: Mapped[str] = mapped_column(unique=True)
    """In the address of the page that thanks them; says nothing about them."""
    thanked: Mapped[bool] = mapped_column(default=False)
    """There is a page and a picture that thank them."""
    named: Mapped[bool] = mapped_column(default=False)
    """The fund's page names them."""
    changed_at: Mapped[datetime]


class NamingConsent(TownRow, Model):
    """Somebody agreed to be named to a sponsor, or took it back; the latest row holds. Append-only."""

    __tablename__ = "naming_consent"
    __table_args__ = (
        refers("prospect_id", "prospect"),
        refers("sponsor_id", "sponsor"),
        refers("recorded_by_id", "account"),
        Index(None, "town_id", "sponsor_id", "prospect_id", "recorded_at"),
        Index(None, "town_id", "prospect_id"),
        CheckConstraint("char_length(words) between 1 and 2000", name="words"),
    )

    prospect_id: Mapped[UUID]
    sponsor_id: Mapped[UUID]
    given: Mapped[bool]
    way: Mapped[Way]
    said_on: Mapped[date]
    """The day they said so."""
    words: Mapped[str]
    """What they agreed to, or how they took it back, in words."""
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[UUID]
