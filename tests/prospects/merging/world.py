"""A handful of people with a row of everything, and what the database says of them, to the last column."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.queries import Scope, scope_of
from crm.accounts.rules import Role
from crm.campaigns.models import Campaign, Message
from crm.campaigns.rules.delivery import Delivery
from crm.db import db
from crm.ids import new_id
from crm.months import Month
from crm.outreach import services as outreach
from crm.outreach.rules import Channel, NewVisit, Outcome
from crm.prospects.models import Consent, IdentityReading, ImportRow, ListImport, Prospect, StageChange
from crm.prospects.rules import ConsentChannel, Ground, ImportState, Purpose, RowOutcome, Sex, Stage
from crm.prospects.tally.recounting import PEOPLE
from crm.sealed import current as seal
from crm.sponsors import services as sponsoring
from crm.sponsors.rules import SponsorKind
from tests.factories import Make
from tests.participation.stories import join, spell

OCTOBER = date(2019, 10, 15)
OUTCOMES = (Outcome.NOT_MET, Outcome.CONSIDERING, Outcome.INTERESTED, Outcome.AGREED, Outcome.REFUSED)
LOG = ("change_record", "merge", "suspect")
"""What tells of merges themselves."""


@dataclass
class World:
    """Eight records; 0 and 5 take part over the same months, 1 did years ago, 6 and 7 are nearly blank."""

    session: Session
    office: User
    scope: Scope
    people: list[Prospect] = field(default_factory=list)
    holders: list[User] = field(default_factory=list)
    ids: list[UUID] = field(default_factory=list)


def build(make: Make) -> World:
    session = make.session
    office = make.user(Role.MANAGER)
    world = World(session, office, scope_of(session, office))
    world.holders = [make.user(Role.VOLUNTEER, organisation_id=make.organisation().id) for _ in range(3)]
    for number in range(8):
        world.people.append(_person(make, world, number))
        world.ids.append(world.people[-1].id)
    for number, person in enumerate(world.people):
        _history(make, world, number, person)
    session.flush()
    session.expire_all()
    return world


def _person(make: Make, world: World, number: int) -> Prospect:
    citizen = f"0381700{number:05d}"
    more: dict[str, Any] = {}
    if number < 6:
        more = {
            "sex": Sex.FEMALE if number % 2 else Sex.MALE,
            "birth_year": 1970,
            "birth_date": date(1970, 3, 1 + number) if number % 3 else None,
            "phone": make.phone(),
            "other_phone": make.phone() if number % 2 else None,
            "address": f"Số {number}",
            "occupation": "buôn bán" if number != 3 else None,
            "organisation_id": make.organisation().id,
        }
    if number in (1, 2, 4):
        more |= {
            "citizen_id": citizen,
            "citizen_index": seal().index(citizen),
            "citizen_masked": f"038***{number:03d}",
            "insurance_number": f"38000000{number:02d}",
            "insurance_index": seal().index(f"38000000{number:02d}"),
            "insurance_masked": f"38******{number:02d}",
        }
    person = make.prospect(f"Nguyễn Thị Số {number}", created_at=clock.now() - timedelta(days=400 - number), **more)
    make.add(
        StageChange(
            town_id=person.town_id,
            prospect_id=person.id,
            to_stage=Stage.NEW,
            at=clock.now() - timedelta(days=390),
            by_id=world.office.id,
        )
    )
    return person


def _history(make: Make, world: World, number: int, person: Prospect) -> None:
    session, now = world.session, clock.now()
    of = {"town_id": person.town_id, "prospect_id": person.id}
    for times in range(number % 4):
        visit(world, person.id, OUTCOMES[(number + times) % 5], now - timedelta(days=100 - 9 * times - number))
    if number in (0, 1, 4, 5):
        make.standing(person, Ground.POOR, date(2019, 1, 1), date(2020, 1, 1))
    if number in (1, 2):
        make.standing(person, Ground.ETHNIC_MINORITY, date(2018, 5, 1 + number), None)
    if number in (0, 2, 3):
        at = now - timedelta(days=50)
        outreach.assign(session, world.scope, [person.id], world.holders[number - 1].id, by=world.office, at=at)
    if number in (0, 5):
        join(person, OCTOBER, start=Month(2019, 10))
    if number == 1:
        spell(make, person, date(2016, 1, 5), date(2017, 1, 5))
    if number < 6:
        make.add(IdentityReading(**of, user_id=world.office.id, at=now, way="page"))
        consent = {"channel": ConsentChannel.PAPER, "at": now, "recorded_at": now, "purpose": Purpose.SERVICE}
        make.add(Consent(**of, **consent, phone=person.phone, given=True))
        _message(make, world, person)
        _line(make, world, person, number)
    if number in (2, 3):
        _sponsored(make, person, number)


def _message(make: Make, world: World, person: Prospect) -> None:
    now = clock.now()
    campaign = make.add(
        Campaign(
            town_id=person.town_id,
            name="Mời tham gia",
            text="Mời",
            purpose=Purpose.PROMOTION,
            stage="running",
            segment={},
            created_by_id=world.office.id,
            created_at=now,
        )
    )
    make.add(
        Message(
            town_id=person.town_id,
            campaign_id=campaign.id,
            purpose=Purpose.PROMOTION,
            phone=person.phone,
            prospect_id=person.id,
            body="[QC] Moi",
            state=Delivery.DELIVERED,
            not_before=now,
            expires_at=now,
            made_at=now,
        )
    )


def _line(make: Make, world: World, person: Prospect, number: int) -> None:
    listed = make.add(
        ListImport(
            town_id=person.town_id,
            filename="danh-sach.xlsx",
            digest=new_id().bytes,
            options={},
            state=ImportState.COMMITTED,
            created_at=clock.now(),
            created_by_id=world.office.id,
        )
    )
    make.add(
        ImportRow(
            town_id=person.town_id,
            import_id=listed.id,
            sheet="A",
            row_number=number,
            raw=json.dumps([person.full_name]),
            outcome=RowOutcome.NEW,
            reasons=[],
            prospect_id=person.id,
        )
    )


def _sponsored(make: Make, person: Prospect, number: int) -> None:
    at, session = clock.now(), make.session
    sponsor, _token = sponsoring.register_sponsor(
        session, person.town_id, name=f"Công ty {number}", kind=SponsorKind.COMPANY, by_id=None, at=at
    )
    promise = sponsoring.pledge(session, sponsor, 90_000_000, due=None, by_id=None, on=OCTOBER, at=at)
    sponsoring.receive(
        session, sponsor, 90_000_000, reference=f"FT{number}", pledge=promise, by_id=None, on=OCTOBER, at=at
    )
    sponsoring.allocate(
        session, sponsor, person, start=Month(2019, 11), months=1, by_id=None, on=OCTOBER, at=at, reason="nhà neo người"
    )


def visit(world: World, prospect_id: UUID, outcome: Outcome, at: datetime, key: UUID | None = None) -> UUID:
    """A conversation recorded under an id, whoever that has become."""
    new = NewVisit(key or new_id(), prospect_id, at, Channel.PHONE_CALL, outcome, next_contact_on=date(2019, 12, 2))
    return outreach.record_visit(world.session, world.scope, new, by=world.office, at=at + timedelta(hours=1)).visit.id


# ---- what the database says


def tables(session: Session) -> list[str]:
    """Every table that points to people, and people themselves."""
    pointing = session.execute(text("select distinct table_name from people_columns()")).scalars()
    return ["prospect", *pointing]


def every_table() -> list[str]:
    return [table.name for table in db.metadata.sorted_tables if table.name not in LOG]


def _row(name: str) -> str:
    return "(to_jsonb(t) - 'version' - 'updated_at')::text" if name == "prospect" else "t::text"


def _rows(name: str) -> str:
    """Of sums several rows may be of the same, and some that cancel out: together they are what is compared."""
    if name != PEOPLE.table:
        return name
    key = ", ".join(("town_id", *PEOPLE.key))
    return f"(select {key}, sum(people) from {name} group by {key} having sum(people) <> 0)"


class Digest:
    """One line for each table: any change of any column of any row shows."""

    def __init__(self, names: list[str]) -> None:
        parts = (
            f"select '{name}', coalesce(md5(string_agg({_row(name)}, '|' order by {_row(name)})), '') from {_rows(name)} t"
            for name in names
        )
        self.statement = text(" union all ".join(parts))

    def __call__(self, session: Session) -> dict[str, str]:
        session.flush()
        return {row[0]: row[1] for row in session.execute(self.statement)}


def digest(session: Session, names: list[str]) -> dict[str, str]:
    """The same, asked once."""
    return Digest(names)(session)


def contents(session: Session, name: str) -> set[str]:
    """The rows of a table in full, to be compared when the lines differ."""
    return set(session.execute(text(f"select {_row(name)} from {_rows(name)} t")).scalars())


def holders(session: Session, table: str) -> dict[UUID, UUID]:
    """Whose each row of a table is."""
    return {row[0]: row[1] for row in session.execute(text(f"select id, prospect_id from {table}"))}
