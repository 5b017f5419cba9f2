"""Organisations, accounts, API tokens, invitations, and the record of who changed what."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask_security.core import UserMixin
from sqlalchemy import CheckConstraint, Index, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from crm.accounts.rules import PERMISSIONS, May, OrganisationKind, Role
from crm.db import Model, TownRow, refers


class Organisation(TownRow, Model):
    """An office, union or association, or its branch in a ward."""

    __tablename__ = "organisation"
    __table_args__ = (
        UniqueConstraint("town_id", "code"),
        refers("parent_id", "organisation"),
        refers("place_id", "place"),
    )

    code: Mapped[str]
    name: Mapped[str]
    kind: Mapped[OrganisationKind]
    parent_id: Mapped[UUID | None]
    place_id: Mapped[UUID | None]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class User(TownRow, Model, UserMixin):  # type: ignore[misc]
    """Someone who signs in, by e-mail or by phone."""

    __tablename__ = "account"
    __table_args__ = (
        refers("organisation_id", "organisation"),
        refers("place_id", "place"),
        Index(None, "town_id", "organisation_id"),
        CheckConstraint("email is not null or phone is not null", name="identity"),
    )

    full_name: Mapped[str]
    email: Mapped[str | None] = mapped_column(unique=True)  # type: ignore[assignment]
    phone: Mapped[str | None] = mapped_column(unique=True)
    password: Mapped[str | None]  # type: ignore[assignment]
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(unique=True)
    role: Mapped[Role]
    organisation_id: Mapped[UUID | None]
    place_id: Mapped[UUID | None]
    language: Mapped[str] = mapped_column(default="vi")
    created_at: Mapped[datetime]
    failed_sign_ins: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    weekly_summary: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Wishes to get the week by e-mail on Mondays."""
    list_columns: Mapped[list[str] | None]
    """What lists of people show this person beside the name; None: the usual."""

    roles: Any = ()
    """Asked for by Flask-Security; permissions come from `role` alone."""

    def may(self, permission: May) -> bool:
        return permission in PERMISSIONS[self.role]


class ApiToken(TownRow, Model):
    """A key for another program; only its hash is kept."""

    __tablename__ = "api_token"
    __table_args__ = (refers("user_id", "account"),)

    user_id: Mapped[UUID]
    name: Mapped[str]
    digest: Mapped[bytes] = mapped_column(unique=True)
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Invitation(TownRow, Model):
    """A link or a printed code that lets its holder set a password, once."""

    __tablename__ = "invitation"
    __table_args__ = (refers("user_id", "account"),)

    user_id: Mapped[UUID]
    digest: Mapped[bytes] = mapped_column(unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ChangeRecord(TownRow, Model):
    """Who did what to which row, with the values before and after. Append-only."""

    __tablename__ = "change_record"
    __table_args__ = (Index(None, "town_id", "subject_id", "at"), refers("user_id", "account"))

    at: Mapped[datetime]
    user_id: Mapped[UUID | None]
    act: Mapped[str]
    subject: Mapped[str]
    subject_id: Mapped[UUID]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
