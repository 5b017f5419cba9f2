"""Adding people who sign in, and keys for other programs."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm.accounts.models import ApiToken, ChangeRecord, User
from crm.accounts.queries import token_digest
from crm.accounts.rules import Role
from crm.errors import RuleBroken
from crm.phones import read_phone


def read_identity(text: str) -> tuple[str | None, str | None]:
    """`(email, phone)` of what someone signs in with; one of the two. Raises RuleBroken."""
    if "@" in text:
        return text.strip().lower(), None
    mobile = read_phone(text).mobile
    if not mobile:
        raise RuleBroken(_l("This is neither an e-mail address nor a mobile number."), field="identity")
    return None, mobile


def add_user(
    session: Session,
    town_id: UUID,
    identity: str,
    *,
    full_name: str,
    role: Role,
    organisation_id: UUID | None = None,
    place_id: UUID | None = None,
    password_hash: str | None,
    at: datetime,
) -> User:
    """Someone who may sign in from now on. Raises RuleBroken when the e-mail or phone is taken."""
    email, phone = read_identity(identity)
    user = User(
        town_id=town_id,
        email=email,
        phone=phone,
        full_name=full_name,
        role=role,
        organisation_id=organisation_id,
        place_id=place_id,
        password=password_hash,
        fs_uniquifier=secrets.token_hex(32),
        created_at=at,
    )
    try:
        with session.begin_nested():
            session.add(user)
            session.flush()
    except IntegrityError:
        raise RuleBroken(
            _l("Someone already signs in with %(identity)s.", identity=identity), field="identity"
        ) from None
    return user


def add_token(session: Session, user: User, *, name: str, scopes: Sequence[str], at: datetime) -> str:
    """A new API token; this is the only time its text exists."""
    token = "ansinh_" + secrets.token_urlsafe(32)
    row = ApiToken(
        town_id=user.town_id,
        user_id=user.id,
        name=name,
        digest=token_digest(token),
        scopes=list(scopes),
        created_at=at,
    )
    session.add(row)
    session.flush()
    return token


def note_change(
    session: Session,
    *,
    town_id: UUID,
    user_id: UUID | None,
    act: str,
    subject: str,
    subject_id: UUID,
    at: datetime,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    """Keep who did what to which row. Identity numbers must come masked."""
    session.add(
        ChangeRecord(
            town_id=town_id,
            user_id=user_id,
            act=act,
            subject=subject,
            subject_id=subject_id,
            at=at,
            before=before,
            after=after,
        )
    )
