"""People, households, their standing and consent, and the lists they came from."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Model, SealedText, TownRow, choice, refers
from crm.prospects.rules import (
    ConsentChannel,
    Ground,
    ImportState,
    Kinship,
    ListKind,
    Purpose,
    RowOutcome,
    Sex,
    Stage,
)

_LIVE = text("merged_into_id is null")
"""Lists, their counts and their files leave merged records out; an index that does so too answers a count by itself."""


class Household(TownRow, Model):
    """People who live and budget together. Who they are now stands with the people; who they were, in dated rows
    (crm/prospects/households/models.py)."""

    __tablename__ = "household"
    __table_args__ = (
        refers("place_id", "place"),
        refers("neighbourhood_id", "place"),
        refers("merged_into_id", "household"),
        refers("created_by_id", "account"),
        Index(
            "uq_household_code",
            "town_id",
            "code",
            unique=True,
            postgresql_where=text("code is not null and ended_on is null"),
        ),
        CheckConstraint("char_length(code) between 1 and 40", name="code"),
    )

    place_id: Mapped[UUID]
    neighbourhood_id: Mapped[UUID | None]
    address: Mapped[str | None]
    code: Mapped[str | None] = mapped_column(default=None)
    """The number of the household in the labour office's books."""
    ended_on: Mapped[date | None] = mapped_column(default=None)
    """The day the last member left, or it was found to be another household."""
    merged_into_id: Mapped[UUID | None] = mapped_column(default=None)
    created_at: Mapped[datetime | None] = mapped_column(default=None)
    created_by_id: Mapped[UUID | None] = mapped_column(default=None)


class Prospect(TownRow, Model):
    """A person. What is current stands here for lists and search; its history stands in dated rows beside it."""

    __tablename__ = "prospect"
    __table_args__ = (
        refers("place_id", "place"),
        refers("neighbourhood_id", "place"),
        refers("household_id", "household"),
        refers("organisation_id", "organisation"),
        refers("volunteer_id", "account"),
        refers("created_by_id", "account"),
        refers("merged_into_id", "prospect"),
        Index("ix_prospect_list", "town_id", "name_key", "id", postgresql_where=_LIVE),
        Index("ix_prospect_stage", "town_id", "stage", "name_key", "id", postgresql_where=_LIVE),
        Index("ix_prospect_place_stage", "town_id", "place_id", "stage", "name_key", "id", postgresql_where=_LIVE),
        Index("ix_prospect_place", "town_id", "place_id", "name_key", "id", postgresql_where=_LIVE),
        Index(
            "ix_prospect_neighbourhood",
            "town_id",
            "neighbourhood_id",
            "name_key",
            "id",
            postgresql_where=text("neighbourhood_id is not null"),
        ),
        Index(
            "ix_prospect_organisation",
            "town_id",
            "organisation_id",
            "name_key",
            "id",
            postgresql_where=text("organisation_id is not null and merged_into_id is null"),
        ),
        Index("ix_prospect_volunteer", "town_id", "volunteer_id", "name_key", "id", postgresql_where=_LIVE),
        Index(
            "ix_prospect_nobody",
            "town_id",
            "organisation_id",
            "name_key",
            "id",
            postgresql_where=text("volunteer_id is null and merged_into_id is null"),
        ),
        Index("ix_prospect_birth_year", "town_id", "birth_year", postgresql_where=_LIVE),
        Index("ix_prospect_last_contact", "town_id", "last_contact_at", postgresql_where=_LIVE),
        Index(
            "ix_prospect_occupation",
            literal_column("fold_words(occupation)").label("work"),
            postgresql_using="gin",
            postgresql_ops={"work": "gin_trgm_ops"},
            postgresql_where=text("occupation is not null"),
        ),
        Index(
            "ix_prospect_due", "town_id", "next_contact_on", "id", postgresql_where=text("next_contact_on is not null")
        ),
        Index("ix_prospect_phone", "town_id", "phone"),
        Index("ix_prospect_other_phone", "town_id", "other_phone", postgresql_where=text("other_phone is not null")),
        Index("ix_prospect_name_year", "town_id", "name_fold", "birth_year"),
        Index(
            "ix_prospect_ward_year",
            "town_id",
            "place_id",
            "birth_year",
            "name_fold",
            postgresql_include=["id"],
            postgresql_ops={"name_fold": "text_pattern_ops"},
        ),
        Index("ix_prospect_updated", "town_id", "updated_at", "id"),
        Index("ix_prospect_birth_date", "town_id", "birth_date", postgresql_where=text("birth_date is not null")),
        Index("ix_prospect_citizen", "town_id", "citizen_index", postgresql_where=text("citizen_index is not null")),
        Index(
            "ix_prospect_insurance", "town_id", "insurance_index", postgresql_where=text("insurance_index is not null")
        ),
        Index("ix_prospect_household", "town_id", "household_id", postgresql_where=text("household_id is not null")),
        Index(
            "uq_prospect_head",
            "town_id",
            "household_id",
            unique=True,
            postgresql_where=text("kinship = 'head' and household_id is not null and merged_into_id is null"),
        ),
        Index(
            "ix_prospect_search",
            "name_fold",
            "phone",
            "other_phone",
            postgresql_using="gin",
            postgresql_ops={"name_fold": "gin_trgm_ops", "phone": "gin_trgm_ops", "other_phone": "gin_trgm_ops"},
        ),
        CheckConstraint("phone ~ '^\\+84[0-9]{9}$'", name="phone_is_mobile"),
        CheckConstraint("birth_date is null or extract(year from birth_date) = birth_year", name="birth"),
        CheckConstraint("char_length(full_name) between 1 and 200", name="full_name"),
    )

    full_name: Mapped[str]
    name_fold: Mapped[str]
    """crm.names.fold(full_name): what search looks in."""
    name_key: Mapped[bytes]
    """crm.names.sort_key(full_name): Vietnamese order on any database."""
    sex: Mapped[Sex | None]
    birth_date: Mapped[date | None]
    birth_year: Mapped[int | None]
    phone: Mapped[str | None]
    """E.164, a mobile that can get SMS."""
    other_phone: Mapped[str | None]
    citizen_id: Mapped[str | None] = mapped_column(SealedText)
    citizen_index: Mapped[bytes | None]
    citizen_masked: Mapped[str | None]
    insurance_number: Mapped[str | None] = mapped_column(SealedText)
    insurance_index: Mapped[bytes | None]
    insurance_masked: Mapped[str | None]
    place_id: Mapped[UUID]
    """The ward or commune."""
    neighbourhood_id: Mapped[UUID | None]
    address: Mapped[str | None]
    occupation: Mapped[str | None]
    household_id: Mapped[UUID | None]
    kinship: Mapped[Kinship | None]
    stage: Mapped[Stage] = mapped_column(default=Stage.NEW)
    organisation_id: Mapped[UUID | None]
    volunteer_id: Mapped[UUID | None]
    next_contact_on: Mapped[date | None]
    last_contact_at: Mapped[datetime | None]
    last_outcome: Mapped[str | None]
    created_at: Mapped[datetime]
    created_by_id: Mapped[UUID | None]
    updated_at: Mapped[datetime]
    merged_into_id: Mapped[UUID | None]
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class Standing(TownRow, Model):
    """A ground for support from `valid_from` until the day before `valid_to`, with the paper that proves it."""

    __tablename__ = "standing"
    __table_args__ = (
        refers("prospect_id", "prospect"),
        refers("recorded_by_id", "account"),
        refers("certificate_id", "household_certificate"),
        UniqueConstraint("town_id", "prospect_id", "ground", "valid_from", postgresql_include=["valid_to"]),
        Index(
            "ix_standing_ground",
            "town_id",
            "ground",
            "prospect_id",
            postgresql_include=["valid_from", "valid_to"],
        ),
        Index(
            "ix_standing_no_paper",
            "town_id",
            "prospect_id",
            postgresql_include=["valid_from", "valid_to"],
            postgresql_where=text("ground = 'ethnic_minority' and certificate is null"),
        ),
        Index(None, "town_id", "certificate_id"),
        Index(None, "town_id", "valid_to"),
        CheckConstraint("valid_to > valid_from", name="dates"),
    )

    prospect_id: Mapped[UUID]
    ground: Mapped[Ground]
    certificate: Mapped[str | None]
    certificate_id: Mapped[UUID | None] = mapped_column(default=None)
    """The certificate of the household that this follows; None for a ground of the person alone."""
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[UUID | None]

    def holds_on(self, day: date) -> bool:
        """Whether it counts on a day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    @property
    def lacks_paper(self) -> bool:
        """Whether nobody has named the paper that must show it (docs/decisions/yes-or-no-instead-of-ethnicity.md)."""
        return self.ground is Ground.ETHNIC_MINORITY and self.certificate is None

    @property
    def last_day(self) -> date | None:
        """The last day on which it holds, as certificates say it."""
        return self.valid_to - timedelta(days=1) if self.valid_to else None


class StageChange(TownRow, Model):
    """A step from one stage to another: who, when, because of what. Append-only."""

    __tablename__ = "stage_change"
    __table_args__ = (
        refers("prospect_id", "prospect"),
        refers("by_id", "account"),
        Index(None, "town_id", "prospect_id", "at"),
    )

    prospect_id: Mapped[UUID]
    from_stage: Mapped[Stage | None] = mapped_column(choice(Stage, "from_stage"))
    to_stage: Mapped[Stage] = mapped_column(choice(Stage, "to_stage"))
    at: Mapped[datetime]
    by_id: Mapped[UUID | None]
    because_id: Mapped[UUID | None]
    """The visit, participation or import that caused it."""


class Consent(TownRow, Model):
    """Yes or no of a phone number to messages of one purpose, with its proof. The latest row holds. Append-only; after a
    refusal the database takes a yes only with new proof (migration 0040)."""

    __tablename__ = "consent"
    __table_args__ = (
        Index(None, "town_id", "phone", "purpose", "at"),
        Index("ix_consent_given", "town_id", "purpose", "phone", postgresql_where=text("given")),
        refers("recorded_by_id", "account"),
        CheckConstraint("at <= recorded_at", name="not_ahead"),
    )

    phone: Mapped[str]
    purpose: Mapped[Purpose]
    given: Mapped[bool]
    channel: Mapped[ConsentChannel]
    at: Mapped[datetime]
    words: Mapped[str | None]
    """The text that was agreed to, or its version."""
    prospect_id: Mapped[UUID | None]
    """Who held the phone; not a foreign key, for the answer outlives the record."""
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[UUID | None]


class IdentityReading(TownRow, Model):
    """Someone read a full identity number. Append-only."""

    __tablename__ = "identity_reading"
    __table_args__ = (Index(None, "town_id", "prospect_id", "at"), refers("user_id", "account"))

    prospect_id: Mapped[UUID]
    user_id: Mapped[UUID]
    at: Mapped[datetime]
    way: Mapped[str]


class ListImport(TownRow, Model):
    """A list handed in, what it would change, and what it changed."""

    __tablename__ = "list_import"
    __table_args__ = (
        refers("place_id", "place"),
        refers("organisation_id", "organisation"),
        refers("created_by_id", "account"),
        Index(None, "town_id", "created_at"),
    )

    kind: Mapped[ListKind] = mapped_column(default=ListKind.PEOPLE)
    filename: Mapped[str]
    digest: Mapped[bytes]
    content: Mapped[bytes | None]
    """The file, sealed; dropped when the import is undone or its rows are all settled."""
    place_id: Mapped[UUID | None]
    organisation_id: Mapped[UUID | None]
    options: Mapped[dict[str, Any]]
    """Sheets and column mapping chosen by a person."""
    found: Mapped[dict[str, Any] | None]
    """Sheets, header row and columns as the reader understood them."""
    state: Mapped[ImportState] = mapped_column(default=ImportState.QUEUED)
    problem: Mapped[str | None]
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    rows: Mapped[int] = mapped_column(default=0)
    valid: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)
    duplicates: Mapped[int] = mapped_column(default=0)
    created: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    created_by_id: Mapped[UUID | None]
    heartbeat_at: Mapped[datetime | None]
    """When the work last moved; a sweep rings again for one that stands still."""
    tries: Mapped[int] = mapped_column(default=0)
    """How often the work that is asked for was begun; one that is interrupted again and again is given up."""
    compared_from: Mapped[int | None]
    """The oldest transaction that was at work when the rows were compared: what is older is in that comparison."""
    loaded_at: Mapped[datetime | None]
    """The moment all that this list added and filled in bears."""


class ImportRow(TownRow, Model):
    """One row of a list: as it stood in the file, what was understood, and what became of it."""

    __tablename__ = "import_row"
    __table_args__ = (
        refers("import_id", "list_import"),
        UniqueConstraint("town_id", "import_id", "sheet", "row_number"),
        Index(None, "town_id", "import_id", "outcome", "sheet", "row_number"),
        Index(None, "town_id", "prospect_id"),
        Index("ix_import_row_words", "town_id", "words", postgresql_where=text("words is not null")),
    )

    import_id: Mapped[UUID]
    sheet: Mapped[str]
    row_number: Mapped[int]
    raw: Mapped[str] = mapped_column(SealedText)
    """JSON list of the row's cells."""
    understood: Mapped[str | None] = mapped_column(SealedText)
    """JSON object of the person's fields."""
    words: Mapped[bytes | None]
    """A blind index of all that was understood, and how many times the list had said just that: of rows without a telephone or number,
    which nothing else tells again (docs/decisions/the-same-list-twice.md)."""
    outcome: Mapped[RowOutcome]
    reasons: Mapped[list[str]]
    """Codes, in crm.prospects.reading; sentences are made for the reader's language."""
    detail: Mapped[dict[str, Any] | None]
    prospect_id: Mapped[UUID | None]
    before: Mapped[str | None] = mapped_column(SealedText)
    """JSON of the fields an update replaced, for undo."""
    version_after: Mapped[int | None]
    settled_at: Mapped[datetime | None]


class ImportPerson(Model):
    """Whom a row proposes, in the columns of a person, for loading by one statement; gone once it is loaded.

    No foreign keys: rows come and go by the hundred thousand, and nothing outlives its list. Numbers are sealed.
    """

    __tablename__ = "import_person"

    town_id: Mapped[UUID] = mapped_column(primary_key=True)
    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    """The row's id, and that of the person it becomes."""
    sheet: Mapped[str]
    to_add: Mapped[bool]
    """Whether the row is to become a person, as far as is known now."""
    decided: Mapped[bool]
    """Whether somebody said so, whoever else may be here."""
    full_name: Mapped[str]
    name_fold: Mapped[str]
    name_key: Mapped[bytes]
    spellings: Mapped[list[str]]
    """How the folded name may be spelt."""
    sex: Mapped[str | None]
    birth_date: Mapped[date | None]
    birth_year: Mapped[int | None]
    phone: Mapped[str | None]
    other_phone: Mapped[str | None]
    citizen_id: Mapped[bytes | None]
    citizen_index: Mapped[bytes | None]
    citizen_masked: Mapped[str | None]
    insurance_number: Mapped[bytes | None]
    insurance_index: Mapped[bytes | None]
    insurance_masked: Mapped[str | None]
    place_id: Mapped[UUID]
    neighbourhood: Mapped[str | None]
    address: Mapped[str | None]
    occupation: Mapped[str | None]
    grounds: Mapped[list[str]]
    sms_consent: Mapped[bool]
