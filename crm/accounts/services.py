"""Adding people who sign in, letting them in, and keys for other programs."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import case, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm.accounts.models import ApiToken, ChangeRecord, Invitation, User
from crm.accounts.queries import opened_by, token_digest
from crm.accounts.rules import INVITED_FOR, LOCKED_FOR, WRONG_TRIES, Role
from crm.db import TownRow
from crm.errors import RuleBroken
from crm.phones import read_phone

EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,180}\.[^@\s.\x00-\x1f]{2,63}")


def read_identity(text: str) -> tuple[str | None, str | None]:
    """`(email, phone)` of what someone signs in with; one of the two. Raises RuleBroken."""
    email = text.strip().lower()
    if EMAIL.fullmatch(email):
        return email, None
    mobile = None if "@" in text else read_phone(text).mobile
    if not mobile:
        raise RuleBroken(_l("This is neither an e-mail address nor a mobile number; check it."), field="identity")
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
    by: User | None = None,
) -> User:
    """Someone who may sign in from now on, by e-mail or phone; `by` is None on the command line.

    Raises RuleBroken when the e-mail or phone is taken or cannot be read.
    """
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
    told = {"role": str(role), "full_name": full_name}
    note_change_of(session, user, "account_added", by=by, at=at, after=told)
    return user


def set_active(session: Session, user: User, active: bool, *, by: User, at: datetime) -> None:
    """Let someone in or keep them out; whoever is kept out is signed out everywhere. Raises RuleBroken for oneself."""
    if user.id == by.id:
        raise RuleBroken(_l("One cannot close one's own account; ask another administrator."))
    before, user.active = user.active, active
    user.fs_uniquifier = secrets.token_hex(32)
    act = "account_opened" if active else "account_closed"
    note_change_of(session, user, act, by=by, at=at, before={"active": before}, after={"active": active})


def note_failed_sign_in(session: Session, user: User, *, at: datetime) -> None:
    """A wrong password; the tenth in a row locks the account. Counted in the database, so that none is lost."""
    rested = User.locked_until.is_not(None) & (User.locked_until <= at)
    count = case((rested, 1), else_=User.failed_sign_ins + 1)
    values = {"failed_sign_ins": count, "locked_until": case((count >= WRONG_TRIES, at + LOCKED_FOR))}
    session.execute(update(User).where(User.town_id == user.town_id, User.id == user.id).values(**values))
    session.expire(user, ["failed_sign_ins", "locked_until"])


def note_sign_in(session: Session, user: User) -> None:
    """The right password: earlier wrong ones are forgotten."""
    user.failed_sign_ins, user.locked_until = 0, None
    session.flush()


def invite(session: Session, user: User, *, at: datetime) -> str:
    """A key with which that person may set a password, once, within two weeks; earlier keys end. Its only appearance."""
    mine = (Invitation.town_id == user.town_id) & (Invitation.user_id == user.id)
    session.execute(update(Invitation).where(mine, Invitation.expires_at > at).values(expires_at=at))
    key = secrets.token_urlsafe(24)
    session.add(
        Invitation(town_id=user.town_id, user_id=user.id, digest=token_digest(key), expires_at=at + INVITED_FOR)
    )
    session.flush()
    return key


def invite_volunteer(
    session: Session,
    identity: str,
    *,
    full_name: str,
    organisation_id: UUID | None = None,
    place_id: UUID | None = None,
    by: User,
    at: datetime,
) -> tuple[User, str]:
    """A new volunteer of the unit of `by`, and the key of their invitation.

    A lead adds to the own organisation and place whatever is asked; who leads nothing adds to nothing. Raises RuleBroken.
    """
    if by.role is Role.LEAD and not (by.organisation_id or by.place_id):
        raise RuleBroken(_l("You lead no organisation and no ward yet. Ask an administrator."))
    if by.role is Role.LEAD:
        organisation_id = by.organisation_id
        place_id = by.place_id or place_id
    who = add_user(
        session,
        by.town_id,
        identity,
        full_name=full_name,
        role=Role.VOLUNTEER,
        organisation_id=organisation_id,
        place_id=place_id,
        password_hash=None,
        at=at,
        by=by,
    )
    return who, invite(session, who, at=at)


def invite_again(session: Session, user: User, *, at: datetime) -> str:
    """A new key for somebody who has not chosen a password yet. Raises RuleBroken for one who has."""
    if user.password:
        raise RuleBroken(
            _l("%(name)s has a password already. An administrator can make a new invitation.", name=user.full_name)
        )
    return invite(session, user, at=at)


def accept_invitation(session: Session, key: str, *, password_hash: str, at: datetime) -> User:
    """Set the password of whoever was invited with this key. Raises RuleBroken when it was used or is too old."""
    once = update(Invitation).where(opened_by(key, at)).values(used_at=at)
    used = session.execute(once.returning(Invitation.town_id, Invitation.user_id)).one_or_none()
    user = session.get(User, (used.town_id, used.user_id)) if used else None
    if user is None or not user.active:
        raise RuleBroken(_l("This invitation has been used or is too old. Ask for a new one."), code="invitation")
    user.password, user.fs_uniquifier = password_hash, secrets.token_hex(32)
    user.failed_sign_ins, user.locked_until = 0, None
    session.flush()
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
    note_change_of(
        session, row, "token_added", by=None, at=at, after={"of": str(user.id), "name": name, "scopes": row.scopes}
    )
    return token


def revoke_token(session: Session, row: ApiToken, *, by: User | None, at: datetime) -> None:
    """The program that has this key is kept out from now on; the person it acted for is not. Again does nothing."""
    session.refresh(row, with_for_update=True)
    if row.revoked_at is None:
        row.revoked_at = at
        note_change_of(session, row, "token_revoked", by=by, at=at, before={"of": str(row.user_id), "name": row.name})


def note_change(
    session: Session,
    *,
    town_id: UUID,
    user_id: UUID | None,
    act: str,
    subject: str,
    subject_id: UUID,
    at: datetime,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
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
            before=None if before is None else dict(before),
            after=None if after is None else dict(after),
        )
    )


def note_change_of(
    session: Session,
    row: TownRow,
    act: str,
    *,
    by: User | None,
    at: datetime,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    """The same for a row under the name of its table; what was changed of it is written first, then this: an act on one
    row, not on many."""
    session.flush()
    note_change(
        session,
        town_id=row.town_id,
        user_id=by.id if by else None,
        act=act,
        subject=row.__tablename__,
        subject_id=row.id,
        at=at,
        before=before,
        after=after,
    )
    session.flush()
