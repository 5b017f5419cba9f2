"""Dossiers, each step they took, and the numbered lists in which they go."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, SealedText, TownRow, choice, refers
from crm.joining.rules import CODE, Movement, Outcome, Row, State, plan_of
from crm.months import LONGEST_RUN, Month
from crm.premiums.rules.quotes import Plan


class Chosen(NamedTuple):
    """What somebody chose to pay: đồng of income a month, for so many months from one on."""

    income: int
    months: int
    start: Month
    plan: Plan


class DossierList(TownRow, Model):
    """A list D05-TS that an agent gathers and takes to the insurance office; numbered within the year."""

    __tablename__ = "dossier_list"
    __table_args__ = (
        refers("by_id", "account"),
        UniqueConstraint("town_id", "year", "number"),
        Index(None, "town_id", "made_at", "id"),
        CheckConstraint("number > 0", name="number"),
    )

    year: Mapped[int]
    number: Mapped[int]
    made_at: Mapped[datetime]
    by_id: Mapped[UUID | None]
    submitted_on: Mapped[date | None]

    @property
    def label(self) -> str:
        """As people write it: 3/2026."""
        return f"{self.number}/{self.year}"


class Dossier(TownRow, Model):
    """What somebody wants to declare, from the first word to the office's answer. One open for a person."""

    __tablename__ = "dossier"
    __table_args__ = (
        refers("prospect_id", "prospect"),
        refers("agent_id", "account"),
        refers("list_id", "dossier_list"),
        refers("payment_id", "payment"),
        refers("opened_by_id", "account"),
        Index(
            "uq_dossier_open",
            "town_id",
            "prospect_id",
            unique=True,
            postgresql_where=text("state not in ('accepted', 'withdrawn')"),
        ),
        Index(
            "uq_dossier_book",
            "town_id",
            "book_index",
            unique=True,
            postgresql_where=text("book_index is not null"),
        ),
        Index(None, "town_id", "state", "changed_at", "id"),
        Index(None, "town_id", "prospect_id"),
        Index(None, "town_id", "list_id"),
        CheckConstraint("(movement = 'GH') = (stop_on is not null)", name="stops"),
        CheckConstraint(
            "(movement = 'GH') = (income is null) and (income is null) = (months is null) "
            "and (income is null) = (start_month is null)",
            name="pays",
        ),
        CheckConstraint("extract(day from start_month) = 1", name="start_month"),
        CheckConstraint(f"months between 1 and {LONGEST_RUN}", name="months"),
        CheckConstraint("months is not null or not missing", name="missing"),
        CheckConstraint("state not in ('submitted', 'accepted') or list_id is not null", name="in_a_list"),
        CheckConstraint("(state = 'accepted') = (accepted_on is not null)", name="accepted"),
        CheckConstraint("state <> 'returned' or returned_for is not null", name="returned"),
    )

    prospect_id: Mapped[UUID]
    state: Mapped[State] = mapped_column(choice(State, "dossier_state"), default=State.DRAFT)
    movement: Mapped[Movement]
    income: Mapped[int | None]
    months: Mapped[int | None]
    """1, 3, 6, 12, whole years ahead in months, or all that are missing for a pension."""
    missing: Mapped[bool] = mapped_column(default=False)
    """Whether the months are those missing for a pension, paid at once."""
    start_month: Mapped[date | None]
    stop_on: Mapped[date | None]
    results_address: Mapped[str | None]
    """Where the result is to be sent, if not home."""
    email: Mapped[str | None]
    agent_id: Mapped[UUID | None]
    list_id: Mapped[UUID | None]
    declared: Mapped[dict[str, Any] | None]
    """The figures of the row as it was submitted: law and support may change afterwards, what was declared does not."""
    returned_for: Mapped[str | None]
    accepted_on: Mapped[date | None]
    book_index: Mapped[bytes | None]
    """The blind index of a code given with this dossier: no two people get the same."""
    payment_id: Mapped[UUID | None]
    opened_at: Mapped[datetime]
    opened_by_id: Mapped[UUID | None]
    changed_at: Mapped[datetime]

    @property
    def chosen(self) -> Chosen:
        """What is to be paid; a dossier of somebody who stops has nothing of the kind."""
        if self.income is None or self.months is None or self.start_month is None:
            raise ValueError("this dossier declares that somebody stops")
        return Chosen(self.income, self.months, Month.of(self.start_month), plan_of(self.months, self.missing))


class ListedDossier(TownRow, Model):
    """A row of a list as it was handed in, and what became of it. Written once, on that day; the database lets nothing
    but the answer be added, once, and no row come later or go. Papers that came back stand in another list when they go
    again, and this row stays."""

    __tablename__ = "listed_dossier"
    __table_args__ = (
        refers("list_id", "dossier_list"),
        refers("dossier_id", "dossier"),
        refers("agent_id", "account"),
        refers("place_id", "place"),
        refers("answered_by_id", "account"),
        UniqueConstraint("town_id", "list_id", "number"),
        Index(None, "town_id", "dossier_id"),
        Index(
            "uq_listed_dossier_standing",
            "town_id",
            "dossier_id",
            unique=True,
            postgresql_where=text("outcome <> 'returned'"),
        ),
        Index(None, "town_id", "agent_id"),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint(
            "coalesce((declared ->> 'TienTudong')::bigint + (declared ->> 'TienHotro')::bigint "
            "+ (declared ->> 'TienNSDP')::bigint + (declared ->> 'TienHotroKhac')::bigint "
            "= (declared ->> 'Tongtien')::bigint, false)",
            name="layers",
        ),
        CheckConstraint("(outcome = 'waiting') = (answered_on is null)", name="answered"),
        CheckConstraint("(outcome = 'returned') = (reason is not null)", name="reason"),
        CheckConstraint("given is null or outcome = 'accepted'", name="given"),
    )

    list_id: Mapped[UUID]
    dossier_id: Mapped[UUID]
    number: Mapped[int]
    """The row's place in the list."""
    agent_id: Mapped[UUID | None]
    """To whom the papers had been handed."""
    place_id: Mapped[UUID]
    """The ward or commune, as it was on the day."""
    declared: Mapped[dict[str, Any]]
    """Every column of the row but the insurance code."""
    code: Mapped[str | None] = mapped_column(SealedText)
    outcome: Mapped[Outcome] = mapped_column(default=Outcome.WAITING)
    answered_on: Mapped[date | None]
    answered_by_id: Mapped[UUID | None]
    reason: Mapped[str | None]
    given: Mapped[str | None] = mapped_column(SealedText)
    """The insurance code with which the row was accepted, if there is one."""

    @property
    def row(self) -> Row:
        """The row, as on the day."""
        return Row(**{**self.declared, CODE: self.code or ""})


class DossierStep(TownRow, Model):
    """A step of a dossier: who, when, to which state, and why. Append-only."""

    __tablename__ = "dossier_step"
    __table_args__ = (
        refers("dossier_id", "dossier"),
        refers("by_id", "account"),
        refers("agent_id", "account"),
        Index(None, "town_id", "dossier_id", "at"),
    )

    dossier_id: Mapped[UUID]
    to_state: Mapped[State] = mapped_column(choice(State, "step_state"))
    at: Mapped[datetime]
    by_id: Mapped[UUID | None]
    agent_id: Mapped[UUID | None]
    note: Mapped[str | None]
