"""What lists of other offices say of people, what was done because of each row, and columns remembered for next time."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, SealedText, TownRow, refers
from crm.prospects.rules import ListKind


class TaxMethod(StrEnum):
    """How a household business pays its tax: a sum fixed beforehand, or by declaration."""

    LUMP_SUM = "lump_sum"
    DECLARATION = "declaration"


class HouseholdBusiness(TownRow, Model):
    """A registered household business of somebody, as a list told it. The latest row of a business holds."""

    __tablename__ = "household_business"
    __table_args__ = (
        refers("prospect_id", "prospect"),
        refers("import_id", "list_import"),
        refers("recorded_by_id", "account"),
        Index(None, "town_id", "prospect_id"),
        Index(None, "town_id", "import_id"),
    )

    prospect_id: Mapped[UUID]
    tax_code: Mapped[str | None] = mapped_column(SealedText)
    """Since 2025 it may be the owner's citizen number, so it is sealed like one."""
    name: Mapped[str | None]
    trade: Mapped[str | None]
    method: Mapped[TaxMethod | None]
    since: Mapped[date | None]
    source: Mapped[str]
    """The list that said so."""
    import_id: Mapped[UUID]
    row_id: Mapped[UUID]
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[UUID | None]


class RowMeaning(TownRow, Model):
    """What was done because of what a row means; its id is the row's. Gone once the list is taken back."""

    __tablename__ = "row_meaning"
    __table_args__ = (refers("import_id", "list_import"), Index(None, "town_id", "import_id"))

    import_id: Mapped[UUID]
    did: Mapped[dict[str, Any]]
    """Ids, days and stages before and after; nothing that says who somebody is."""


class RememberedColumns(TownRow, Model):
    """How the columns of a source's lists are to be understood: somebody put them right once."""

    __tablename__ = "remembered_columns"
    __table_args__ = (
        refers("organisation_id", "organisation"),
        refers("user_id", "account"),
        refers("place_id", "place"),
        UniqueConstraint("town_id", "organisation_id", "user_id", "headings_key", postgresql_nulls_not_distinct=True),
    )

    organisation_id: Mapped[UUID | None]
    """The source: the organisation the list was for, or else who handed it in."""
    user_id: Mapped[UUID | None]
    headings_key: Mapped[str]
    """The folded headings in their order."""
    headings: Mapped[list[str]]
    columns: Mapped[dict[str, Any]]
    """Heading → field; an empty field leaves the column out. Of a sheet without headings the column's letter."""
    headed: Mapped[dict[str, Any] | None]
    """Sheet → the rows of its headings, where somebody had to show them; no rows: it has none."""
    kind: Mapped[ListKind]
    place_id: Mapped[UUID | None]
    filename: Mapped[str]
    recorded_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used: Mapped[int] = mapped_column(default=0)
