"""What is known of people: consents, history, household, and the facts that pages show."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Select,
    Text,
    any_,
    bindparam,
    or_,
    select,
)
from sqlalchemy.orm import Session

from crm.accounts.models import Organisation, User
from crm.accounts.queries import Scope
from crm.places.models import Place
from crm.prospects.models import Consent, IdentityReading, Prospect, Standing
from crm.prospects.queries.seeing import ORDER, listed_to
from crm.prospects.queries.standing import standings_of
from crm.prospects.reading.values import said_once
from crm.prospects.rules import Ground, Purpose, deciding, grounds_held


def consents_of(session: Session, town_id: UUID, phone: str) -> dict[Purpose, Consent]:
    """What holds for a phone number now: the latest answer for each purpose that was ever asked."""
    return consents_of_all(session, town_id, (phone,)).get(phone, {})


def consents_of_all(session: Session, town_id: UUID, phones: Collection[str]) -> dict[str, dict[Purpose, Consent]]:
    """`consents_of` for many numbers at once."""
    found: dict[str, dict[Purpose, Consent]] = {}
    for row in session.scalars(_CONSENTS, {"town": town_id, "phones": list(phones)}):
        found.setdefault(row.phone, {})[row.purpose] = row
    return found


_CONSENTS = (
    select(Consent)
    .where(Consent.town_id == bindparam("town"), Consent.phone == any_(bindparam("phones", type_=ARRAY(Text()))))
    .distinct(Consent.phone, Consent.purpose)
    .order_by(Consent.phone, Consent.purpose, Consent.at.desc(), Consent.recorded_at.desc(), Consent.id.desc())
)


def consent_changes(session: Session, prospect: Prospect) -> Sequence[tuple[Consent, str | None]]:
    """Every answer of the phone this person has now, and those they gave with an earlier one, the newest first."""
    asked = {"town": prospect.town_id, "person": prospect.id, "phone": prospect.phone}
    return [(row[0], row[1]) for row in session.execute(_ANSWERS, asked)]


_ANSWERS = (
    select(Consent, User.full_name)
    .outerjoin(User, (User.town_id == Consent.town_id) & (User.id == Consent.recorded_by_id))
    .where(
        Consent.town_id == bindparam("town"),
        or_(Consent.phone == bindparam("phone"), Consent.prospect_id == bindparam("person")),
    )
    .order_by(Consent.at.desc(), Consent.id.desc())
)


def identity_readings(session: Session, prospect: Prospect) -> Sequence[tuple[IdentityReading, str | None]]:
    """Who read this person's full numbers, the newest first."""
    query = (
        select(IdentityReading, User.full_name)
        .outerjoin(User, (User.town_id == IdentityReading.town_id) & (User.id == IdentityReading.user_id))
        .where(IdentityReading.town_id == prospect.town_id, IdentityReading.prospect_id == prospect.id)
        .order_by(IdentityReading.at.desc(), IdentityReading.id.desc())
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def household_of(session: Session, scope: Scope, prospect: Prospect) -> Sequence[Prospect]:
    """The others of somebody's household that this person may see."""
    if prospect.household_id is None:
        return []
    query = select(Prospect).where(
        listed_to(scope), Prospect.household_id == prospect.household_id, Prospect.id != prospect.id
    )
    return session.scalars(query.order_by(*ORDER)).all()


@dataclass(frozen=True)
class Facts:
    """A person with what lists and programs show of them."""

    person: Prospect
    standing: Ground
    standings: list[Standing]
    """Those that hold today or begin later, the newest first."""
    consents: dict[Purpose, Consent]
    place: Place
    neighbourhood: Place | None
    organisation: Organisation | None
    volunteer: User | None

    def grounds_on(self, day: date) -> tuple[Ground, ...]:
        """Every ground for support they have on a day from today on, the strongest first."""
        return grounds_held((one.ground for one in self.standings if one.holds_on(day)), special=self.place.special)

    @property
    def address(self) -> str | None:
        """The house as it is written, unless that only says the neighbourhood once more."""
        return said_once(self.person.address, self.neighbourhood.name if self.neighbourhood else None)


def facts_of(session: Session, town_id: UUID, rows: Sequence[Prospect], today: date) -> list[Facts]:
    """The facts of these people, in their order, with a handful of queries however many they are."""
    standings = standings_of(session, town_id, [row.id for row in rows])
    consents = consents_of_all(session, town_id, {row.phone for row in rows if row.phone})
    places = named_by_id(session, Place, town_id, [(row.place_id, row.neighbourhood_id) for row in rows])
    organisations = named_by_id(session, Organisation, town_id, [(row.organisation_id,) for row in rows])
    volunteers = named_by_id(session, User, town_id, [(row.volunteer_id,) for row in rows])
    facts = []
    for row in rows:
        held = [one for one in standings[row.id] if one.valid_to is None or one.valid_to > today]
        facts.append(
            Facts(
                person=row,
                standing=deciding(one.ground for one in held if one.holds_on(today)),
                standings=held,
                consents=consents.get(row.phone or "", {}),
                place=places[row.place_id],
                neighbourhood=places.get(row.neighbourhood_id),
                organisation=organisations.get(row.organisation_id),
                volunteer=volunteers.get(row.volunteer_id),
            )
        )
    return facts


def named_by_id(
    session: Session, kind: type[Any], town_id: UUID, ids: Iterable[tuple[UUID | None, ...]]
) -> dict[Any, Any]:
    wanted = {key for group in ids for key in group if key}
    if not wanted:
        return {}
    return {row.id: row for row in session.scalars(_OF_IDS[kind], {"town": town_id, "ids": list(wanted)})}


_OF_IDS: dict[type[Any], Select[Any]] = {
    kind: select(kind).where(kind.town_id == bindparam("town"), kind.id.in_(bindparam("ids", expanding=True)))
    for kind in (Place, Organisation, User)
}
