"""Declaring the rule of credit, and making the list of Biểu 06."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm.accounts.models import Organisation, User
from crm.accounts.services import note_change
from crm.emulation.models import Commendation, CreditRule
from crm.emulation.queries import commendations, years_before
from crm.emulation.rules import Credit, Form, Standing
from crm.errors import Conflict, RuleBroken
from crm.ids import new_id
from crm.web import filters


def declare(
    session: Session, town_id: UUID, *, since: date, credit: Credit, days: int, today: date, by: User, at: datetime
) -> None:
    """From a day on joiners are credited otherwise. What was counted before that day stays as it was: raises RuleBroken for
    a day in a month that is over."""
    if since < today.replace(day=1):
        message = _l("Begin with a day of this month or later: months that are over keep their rule.")
        raise RuleBroken(message, field="since")
    session.add(
        CreditRule(
            town_id=town_id, id=new_id(), since=since, credit=credit, days=days, recorded_at=at, recorded_by_id=by.id
        )
    )
    session.flush()


def propose(
    session: Session, town_id: UUID, standing: Standing, *, who: str, as_of: date, by: User, at: datetime
) -> None:
    """Put an organisation (`who` is "organisation") or a volunteer on the list of a day's year, with the result as counted up
    to that day; whoever was taken off comes back with the result of now. Raises Conflict for who stands there already, and
    for a list that has gone."""
    year = as_of.year
    _still_open(session, town_id, year)
    one = standing.one
    key = (
        {"organisation_id": one.key, "user_id": None}
        if who == "organisation"
        else {"organisation_id": None, "user_id": one.key}
    )
    before = session.scalars(
        select(Commendation).where(
            Commendation.town_id == town_id,
            Commendation.year == year,
            Commendation.removed_at.is_not(None),
            (Commendation.organisation_id == one.key) | (Commendation.user_id == one.key),
        )
    ).one_or_none()
    if before:
        before.removed_at, before.changed_at, before.changed_by_id = None, at, by.id
        before.result = in_words(standing, as_of)
        session.flush()
        return
    last = session.scalar(
        select(func.max(Commendation.position)).where(Commendation.town_id == town_id, Commendation.year == year)
    )
    row = Commendation(
        town_id=town_id,
        id=new_id(),
        year=year,
        position=(last or 0) + 1,
        **key,
        name=one.name,
        post=_post(session, town_id, one.key) if who != "organisation" else None,
        result=in_words(standing, as_of),
        form=Form.CERTIFICATE,
        years_in_row=years_before(session, town_id, year, one.key) + 1,
        sent_at=None,
        changed_at=at,
        changed_by_id=by.id,
    )
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError:
        raise Conflict(_l("%(name)s stands on the list already.", name=one.name), code="on_the_list") from None


def _post(session: Session, town_id: UUID, user_id: UUID) -> str | None:
    user = session.get_one(User, (town_id, user_id))
    return session.get_one(Organisation, (town_id, user.organisation_id)).name if user.organisation_id else None


def in_words(standing: Standing, as_of: date) -> str:
    """The result as it was counted up to a day: share of the target, who joined, who was lost, visits. Vietnamese whatever
    language was chosen: it stands on the official paper."""
    one, target = standing.one, ""
    if one.target and standing.of_target is not None:
        target = f"chỉ tiêu {filters.number(one.target)}, đạt {filters.number(one.stock)} ({filters.percent(standing.of_target)}); "
    joined = filters.number(one.credit, 1 if one.credit.denominator > 1 else 0)
    return (
        f"Đến {as_of:%d/%m/%Y}: {target}{joined} người tham gia mới hoặc đóng lại, {filters.number(one.left)} người dừng, "
        f"{filters.number(one.visits)} lượt gặp"
    )


def change(
    session: Session,
    row: Commendation,
    *,
    name: str,
    post: str | None,
    result: str,
    form: Form,
    years_in_row: int,
    by: User,
    at: datetime,
) -> None:
    """A line is worded otherwise before the list goes."""
    _still_open(session, row.town_id, row.year)
    row.name, row.post, row.result, row.form, row.years_in_row = name, post, result, form, years_in_row
    row.changed_at, row.changed_by_id = at, by.id
    session.flush()


def remove(session: Session, row: Commendation, *, by: User, at: datetime) -> None:
    """A line does not go with the list."""
    _still_open(session, row.town_id, row.year)
    row.removed_at, row.changed_at, row.changed_by_id = at, at, by.id
    session.flush()


def send(session: Session, town_id: UUID, year: int, *, by: User, at: datetime) -> int:
    """The list has gone to the Home Affairs office: it stays as it is. How many lines; raises RuleBroken for an empty one."""
    rows: Sequence[Commendation] = commendations(session, town_id, year)
    if not rows:
        raise RuleBroken(_l("The list is empty. Propose somebody first."), code="empty_list")
    _still_open(session, town_id, year)
    for row in rows:
        row.sent_at = at
    note_change(
        session,
        town_id=town_id,
        user_id=by.id,
        act="send_commendations",
        subject="commendation",
        subject_id=rows[0].id,
        at=at,
        after={"year": year, "lines": len(rows)},
    )
    session.flush()
    return len(rows)


def _still_open(session: Session, town_id: UUID, year: int) -> None:
    sent = select(func.count()).where(
        Commendation.town_id == town_id, Commendation.year == year, Commendation.sent_at.is_not(None)
    )
    if session.scalar(sent):
        raise Conflict(_l("The list of %(year)s has gone; it stays as it is.", year=year), code="list_sent")
