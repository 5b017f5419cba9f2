"""Proposals whom to fund, their lines, what each sponsor had, and who is not proposed to a sponsor again."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, TownRow, choice, refers
from crm.sponsors.matching.rules.needs import Rest, Why
from crm.sponsors.matching.rules.states import LineState, ProposalState

BEYOND_WISH = "beyond_wish"
"""Among the facts of a line: why a treasurer helps somebody outside the sponsor's wish."""


class FundingProposal(TownRow, Model):
    """A question whom to fund, and how far its answer is."""

    __tablename__ = "funding_proposal"
    __table_args__ = (
        refers("asked_by_id", "account"),
        refers("closed_by_id", "account"),
        Index(None, "town_id", "asked_at", "id"),
        Index("ix_funding_proposal_waiting", "asked_at", postgresql_where=text("state = 'waiting'")),
        CheckConstraint("(state = 'closed') = (closed_at is not null)", name="closed"),
    )

    state: Mapped[ProposalState] = mapped_column(choice(ProposalState, "proposal_state"))
    as_of: Mapped[date]
    """By the law and the facts of this day."""
    terms: Mapped[dict[str, Any]]
    people: Mapped[int] = mapped_column(default=0)
    """How many were looked at."""
    asked_at: Mapped[datetime]
    asked_by_id: Mapped[UUID | None]
    closed_at: Mapped[datetime | None] = mapped_column(default=None)
    closed_by_id: Mapped[UUID | None] = mapped_column(default=None)


class FundingOffer(Model):
    """What a sponsor had when a proposal was made, and why what it left could not be used."""

    __tablename__ = "funding_offer"
    __table_args__ = (
        refers("proposal_id", "funding_proposal"),
        refers("sponsor_id", "sponsor"),
        CheckConstraint("available >= 0", name="available"),
    )

    town_id: Mapped[UUID] = mapped_column(ForeignKey("town.id"), primary_key=True)
    proposal_id: Mapped[UUID] = mapped_column(primary_key=True)
    sponsor_id: Mapped[UUID] = mapped_column(primary_key=True)
    available: Mapped[int]
    why: Mapped[Rest] = mapped_column(choice(Rest, "why"))
    cheapest: Mapped[int | None]
    """The least that anybody who fits and was passed over would still need, đồng."""


class FundingLine(TownRow, Model):
    """Somebody in a proposal: whose money would carry which of their months, or why nobody's does."""

    __tablename__ = "funding_line"
    __table_args__ = (
        refers("proposal_id", "funding_proposal"),
        refers("prospect_id", "prospect"),
        refers("sponsor_id", "sponsor"),
        refers("allocation_id", "allocation"),
        refers("request_id", "money_request"),
        refers("settled_by_id", "account"),
        UniqueConstraint("town_id", "proposal_id", "prospect_id"),
        Index(None, "town_id", "proposal_id", "sponsor_id", "position"),
        Index(None, "town_id", "prospect_id"),
        Index("ix_funding_line_chosen", "town_id", "proposal_id", postgresql_where=text("state = 'chosen'")),
        CheckConstraint("num_nonnulls(sponsor_id, start_month, months, amount) in (0, 4)", name="whole"),
        CheckConstraint(
            "(sponsor_id is null) = (state = 'passed') and (why is null) = (state <> 'passed')", name="reason"
        ),
        CheckConstraint("months > 0 and amount > 0", name="something"),
        CheckConstraint("extract(day from start_month) = 1", name="start_month"),
        CheckConstraint("(state = 'accepted') = (allocation_id is not null)", name="accepted"),
        CheckConstraint("(state = 'asked') = (request_id is not null)", name="asked"),
    )

    proposal_id: Mapped[UUID]
    prospect_id: Mapped[UUID]
    position: Mapped[int]
    """The place in the order of priority, from 1."""
    state: Mapped[LineState] = mapped_column(choice(LineState, "line_state"))
    sponsor_id: Mapped[UUID | None]
    start_month: Mapped[date | None]
    months: Mapped[int | None]
    amount: Mapped[int | None]
    why: Mapped[Why | None] = mapped_column(choice(Why, "why"))
    facts: Mapped[dict[str, Any]]
    """What decided the place and the months (crm.sponsors.matching.rules.wording)."""
    words: Mapped[str | None] = mapped_column(default=None)
    """Why a treasurer refused it, or what had changed when it was accepted."""
    settled_at: Mapped[datetime | None] = mapped_column(default=None)
    settled_by_id: Mapped[UUID | None] = mapped_column(default=None)
    allocation_id: Mapped[UUID | None] = mapped_column(default=None)
    request_id: Mapped[UUID | None] = mapped_column(default=None)
    """What a second person is asked to approve."""


class FundingRefusal(TownRow, Model):
    """A treasurer said no to a sponsor's money for somebody: not proposed again until that is lifted."""

    __tablename__ = "funding_refusal"
    __table_args__ = (
        refers("sponsor_id", "sponsor"),
        refers("prospect_id", "prospect"),
        refers("by_id", "account"),
        refers("lifted_by_id", "account"),
        Index(
            "uq_funding_refusal_holds",
            "town_id",
            "sponsor_id",
            "prospect_id",
            unique=True,
            postgresql_where=text("lifted_at is null"),
        ),
        Index(None, "town_id", "prospect_id"),
    )

    sponsor_id: Mapped[UUID]
    prospect_id: Mapped[UUID]
    words: Mapped[str]
    at: Mapped[datetime]
    by_id: Mapped[UUID | None]
    lifted_at: Mapped[datetime | None] = mapped_column(default=None)
    lifted_by_id: Mapped[UUID | None] = mapped_column(default=None)
