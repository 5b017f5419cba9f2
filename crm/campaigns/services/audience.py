"""Whom a campaign means, and what its text may say of each."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.campaigns import queries
from crm.campaigns.models import Campaign
from crm.campaigns.queries import Candidate
from crm.campaigns.rules.hours import VIETNAM
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.rules.stages import person_values
from crm.errors import NotFound, RuleBroken
from crm.money import in_figures
from crm.months import Month
from crm.participation.queries import places_named
from crm.phones import pretty
from crm.places.models import Place
from crm.places.queries import ids_within
from crm.premiums.queries import law, top_ups_at
from crm.premiums.rules.law import Law
from crm.premiums.rules.quotes import Plan, quote
from crm.prospects.lists.queries import people_of, segment_seen
from crm.prospects.models import Prospect, Standing
from crm.prospects.rules import Ground, Purpose, grounds_held

BESIDE = ("phuong", "phu_trach", "dien_thoai", "so_tien")
"""Places that are looked up beside the person's own row, when the text names them."""


class Member(NamedTuple):
    """Somebody a campaign means, and what its text may say of them."""

    who: Candidate
    values: dict[str, str]


def audience(
    session: Session,
    campaign: Campaign,
    at: datetime,
    *,
    by_id: UUID,
    visible: ColumnElement[bool] | None = None,
    named: Collection[str] = (),
    most: int | None = None,
) -> Iterator[Member]:
    """The people of the campaign's filter as they are now, with what `named` places say of them.

    `visible` leaves out those whom a reader may not see. A saved list finds those of its people whom `by_id` sees, who
    launches or looks, never its author's. RuleBroken when it is not there any more."""
    on = (campaign.scheduled_for or at).astimezone(VIETNAM).date()
    query = select_of(session, campaign.town_id, campaign.segment, campaign.purpose, at, by_id=by_id, visible=visible)
    beside = _Beside.of(session, campaign.town_id, on, named)
    if beside.wanted:
        query = query.add_columns(Prospect.place_id, Prospect.volunteer_id)
    day = f"{on.day}/{on.month}"
    for row in session.execute(query.limit(most)):
        who = Candidate(*row[:7])
        values = person_values(who.full_name, who.female, who.birth_year, on.year)
        values["ngay"] = day
        if beside.wanted:
            values.update(beside.values(who.prospect_id, row[7], row[8]))
        yield Member(who, values)


def select_of(
    session: Session,
    town_id: UUID,
    segment: dict[str, Any],
    purpose: Purpose,
    at: datetime,
    *,
    by_id: UUID,
    visible: ColumnElement[bool] | None = None,
) -> Select[Any]:
    """The people a filter finds now (rows are Candidates). Raises RuleBroken when its saved list is gone."""
    place = segment.get("place")
    within = ids_within(session, town_id, UUID(place)) if place else None
    query = queries.candidates(town_id, segment, purpose, within, at.astimezone(VIETNAM).date(), visible=visible)
    if saved := segment.get("list"):
        query = query.where(Prospect.id.in_(_of_list(session, town_id, saved, by_id, at)))
    return query


def audience_size(session: Session, campaign: Campaign, at: datetime, *, by_id: UUID, most: int | None = None) -> int:
    """How many people the filter finds now; counting stops at `most`."""
    found = select_of(session, campaign.town_id, campaign.segment, campaign.purpose, at, by_id=by_id)
    inner = found.with_only_columns(Prospect.id).order_by(None)
    return session.scalar(select(func.count()).select_from((inner.limit(most) if most else inner).subquery())) or 0


class Told(NamedTuple):
    """People of a filter at a glance: all of them, those who would get a message, and why the others would not."""

    people: int
    messages: int
    excluded: dict[Reason, int]


def at_a_glance(
    session: Session, town_id: UUID, segment: dict[str, Any], purpose: Purpose, at: datetime, *, by_id: UUID
) -> Told:
    """Counted by the database alone, before there is a text."""
    phone, other = Prospect.phone, Prospect.other_phone
    consent = queries.latest_consent(Prospect.town_id, Prospect.phone, purpose)
    found = select_of(session, town_id, segment, purpose, at, by_id=by_id).order_by(None)
    each = found.with_only_columns(phone.label("phone"), other.label("other"), consent.label("consent")).subquery()
    why = case(
        (each.c.phone.is_(None) & each.c.other.is_(None), Reason.NO_PHONE.value),
        (each.c.phone.is_(None), Reason.NOT_MOBILE.value),
        (each.c.consent.is_(None), Reason.NO_CONSENT.value),
        (~each.c.consent, Reason.OPTED_OUT.value),
    )
    query = select(why, func.count(), func.count(each.c.phone.distinct())).group_by(why)
    excluded: dict[Reason, int] = {}
    people = messages = 0
    for reason, many, phones in session.execute(query):
        people += many
        if reason is not None:
            excluded[Reason(reason)] = many
        else:
            messages = phones
            excluded |= {Reason.SAME_PHONE: many - phones} if many > phones else {}
    return Told(people, messages, excluded)


def _of_list(session: Session, town_id: UUID, saved: str, by_id: UUID, at: datetime) -> Select[UUID]:
    user = session.get_one(User, (town_id, by_id))
    scope, today = scope_of(session, user), at.astimezone(VIETNAM).date()
    try:
        found = people_of(segment_seen(session, scope, user, saved), scope, today, session=session)
    except NotFound:
        raise RuleBroken(
            _l("The saved list of this campaign is not there any more. Choose another."), field="list"
        ) from None
    return found.with_only_columns(Prospect.id)


class _Beside:
    """What stands beside people: their ward, who looks after them, what they would pay at least."""

    def __init__(self, wanted: frozenset[str]) -> None:
        self.wanted = wanted
        self._places: dict[UUID, Place] = {}
        self._helpers: dict[UUID, tuple[str, str]] = {}
        self._grounds: dict[UUID, list[Ground]] = {}
        self._session: Session
        self._on: date
        self._law: Law | None = None
        self._least: dict[tuple[UUID, tuple[Ground, ...]], str] = {}

    @classmethod
    def of(cls, session: Session, town_id: UUID, on: date, named: Collection[str]) -> _Beside:
        found = cls(frozenset(named) & frozenset(BESIDE))
        found._session, found._on = session, on
        if found.wanted & {"phuong", "so_tien"}:
            found._places = places_named(session, town_id)
        if found.wanted & {"phu_trach", "dien_thoai"}:
            staff = select(User.id, User.full_name, User.phone).where(User.town_id == town_id)
            found._helpers = {row[0]: (row[1], pretty(row[2]) if row[2] else "") for row in session.execute(staff)}
        if "so_tien" in found.wanted:
            found._law = law(session)
            standing = select(Standing.prospect_id, Standing.ground).where(
                and_(Standing.town_id == town_id, Standing.valid_from <= on),
                (Standing.valid_to.is_(None)) | (Standing.valid_to > on),
            )
            for person_id, ground in session.execute(standing):
                found._grounds.setdefault(person_id, []).append(ground)
        return found

    def values(self, person_id: UUID, place_id: UUID, volunteer_id: UUID | None) -> dict[str, str]:
        name, phone = self._helpers.get(volunteer_id, ("", "")) if volunteer_id else ("", "")
        place = self._places.get(place_id)
        told = {"phu_trach": name, "dien_thoai": phone, "phuong": _in_a_sentence(place.name) if place else ""}
        if self._law is not None:
            told["so_tien"] = self._least_of(person_id, place)
        return told

    def _least_of(self, person_id: UUID, place: Place | None) -> str:
        grounds = grounds_held(self._grounds.get(person_id, ()), special=place is not None and place.special)
        key = (place.id if place else UUID(int=0), grounds)
        if key not in self._least:
            self._least[key] = self._quoted(grounds, place)
        return self._least[key]

    def _quoted(self, grounds: tuple[Ground, ...], place: Place | None) -> str:
        """What one month on the least income costs; nothing when the law of the day is not recorded."""
        if place is None or self._law is None:
            return ""
        top_ups = top_ups_at(self._session, place.town_id, place, self._on)
        try:
            least = self._law.on(self._on).floor
            told = quote(
                self._law, least, grounds, Month.of(self._on), self._on, Plan.periodic(1), local_top_ups=top_ups
            )
        except RuleBroken:
            return ""
        return in_figures(told.payable)


def _in_a_sentence(name: str) -> str:
    """*Phường Ba Đình* → *phường Ba Đình*."""
    return name[:1].lower() + name[1:]
