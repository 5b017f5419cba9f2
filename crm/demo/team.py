"""Who works in the demo town: neighbourhoods of each unit, volunteers of the unions, and the accounts to try."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from random import Random
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.models import Organisation, User
from crm.accounts.rules import Role
from crm.demo.names import full_name
from crm.demo.numbering import Numbering
from crm.demo.town import PREFIXES, Share, shares_on
from crm.names import fold
from crm.phones import pretty
from crm.places.models import Place, Town
from crm.places.queries import units
from crm.places.rules import PlaceKind
from crm.prospects.rules import Sex

PASSWORD = "bimson2019"
DOMAIN = "bimson.example"
VOLUNTEERS = 120


@dataclass(slots=True)
class Helper:
    """A volunteer or agent, and how many of their people are due on the demo's day."""

    id: UUID
    organisation_id: UUID
    due_wanted: int
    due: int = 0

    @property
    def wants_more(self) -> bool:
        return self.due < self.due_wanted


@dataclass(slots=True)
class Unit:
    """A ward or commune with those who work there."""

    id: UUID
    kind: PlaceKind
    share: Share
    neighbourhoods: Sequence[UUID]
    volunteers: list[Helper] = field(default_factory=list)
    agents: list[Helper] = field(default_factory=list)


class Account(NamedTuple):
    """What the sign-in page and the terminal tell of an account."""

    identity: str
    role: Role
    name: str


@dataclass(slots=True)
class Team:
    """The town as it stands before the first household comes in."""

    town_id: UUID
    units: list[Unit]
    accounts: list[Account]
    manager_id: UUID
    organiser_id: UUID
    treasurer_id: UUID


STAFF: Sequence[tuple[str, Role, Sex, str | None]] = (
    ("quantri", Role.ADMIN, Sex.MALE, None),
    ("quanly", Role.MANAGER, Sex.MALE, "LDTBXH"),
    ("totchuc", Role.ORGANISER, Sex.FEMALE, "LDTBXH"),
    ("thuquy1", Role.TREASURER, Sex.FEMALE, "MTTQ"),
    ("thuquy2", Role.TREASURER, Sex.MALE, "LDTBXH"),
    ("phuong", Role.LEAD, Sex.MALE, None),
    ("phunu", Role.LEAD, Sex.FEMALE, "HPN"),
    ("tinhnguyen", Role.VOLUNTEER, Sex.FEMALE, "HPN"),
    ("daily", Role.AGENT, Sex.FEMALE, "BHXH"),
    ("kiemtra", Role.AUDITOR, Sex.MALE, None),
    ("nhahaotam", Role.SPONSOR, Sex.MALE, None),
)
"""The accounts to try, by the first part of their e-mail address."""

AT_THE_WARD = frozenset({"phuong", "tinhnguyen", "daily"})
"""Those who belong to one ward: Ba Đình in 2019, Bỉm Sơn now. Both have the code 14812."""

UNIONS: Mapping[str, int] = {"HPN": 36, "HND": 22, "DTN": 18, "CCB": 16, "MTTQ": 16, "LDLD": 6, "UBND": 6}
"""Volunteers by organisation."""

WOMEN_OF_TEN: Mapping[str, int] = {"HPN": 10, "CCB": 1, "HND": 4}


def gather(
    session: Session, town: Town, *, on: date, password_hash: str, random: Random, number: Numbering, at: datetime
) -> Team:
    """Neighbourhoods, volunteers and accounts in the units of a day. RuleBroken for days the demo does not know."""
    shares = shares_on(on)
    places = [place for place in session.scalars(units(town.id, on)) if place.code in shares]
    here = [_unit(session, place, shares[place.code or ""], number) for place in places]
    ward = next(one for one, place in zip(here, places, strict=True) if place.code == "14812")
    codes = {row.code: row.id for row in session.scalars(select(Organisation).where(Organisation.town_id == town.id))}
    maker = _Accounts(session, town.id, password_hash, random, number, at)
    staff: dict[str, User] = {}
    for identity, role, sex, code in STAFF:
        place_id = ward.id if identity in AT_THE_WARD else None
        phone = "+84912000119" if identity == "tinhnguyen" else None
        email = f"{identity}@{DOMAIN}"
        user = maker.add(
            role, sex, email=email, phone=phone, organisation_id=codes[code] if code else None, place_id=place_id
        )
        staff[identity] = user
    session.flush()
    ward.volunteers.append(Helper(staff["tinhnguyen"].id, codes["HPN"], due_wanted=10))
    ward.agents.append(Helper(staff["daily"].id, codes["BHXH"], due_wanted=6))
    for unit, code in zip(_by_share(here), _by_turns(), strict=True):
        sex = Sex.FEMALE if random.randrange(10) < WOMEN_OF_TEN.get(code, 5) else Sex.MALE
        user = maker.add(Role.VOLUNTEER, sex, phone=maker.phone(), organisation_id=codes[code], place_id=unit.id)
        unit.volunteers.append(Helper(user.id, codes[code], due_wanted=random.randint(3, 9)))
    for unit in here:
        if not unit.agents:
            user = maker.add(
                Role.AGENT, Sex.FEMALE, phone=maker.phone(), organisation_id=codes["BHXH"], place_id=unit.id
            )
            unit.agents.append(Helper(user.id, codes["BHXH"], due_wanted=random.randint(3, 6)))
    session.flush()
    return Team(
        town.id,
        here,
        [Account(user.email or "", user.role, user.full_name) for user in staff.values()],
        manager_id=staff["quanly"].id,
        organiser_id=staff["totchuc"].id,
        treasurer_id=staff["thuquy1"].id,
    )


def _unit(session: Session, place: Place, share: Share, number: Numbering) -> Unit:
    kind = "Thôn" if place.kind is PlaceKind.COMMUNE else "Khu phố"
    ids = []
    for count in range(1, share.neighbourhoods + 1):
        ids.append(number())
        name = f"{kind} {count}"
        session.add(
            Place(
                town_id=place.town_id,
                id=ids[-1],
                name=name,
                name_fold=fold(name),
                kind=PlaceKind.NEIGHBOURHOOD,
                parent_id=place.id,
                valid_from=place.valid_from,
                special=False,
            )
        )
    return Unit(place.id, place.kind, share, tuple(ids))


def _by_share(here: Sequence[Unit]) -> list[Unit]:
    """One unit for each volunteer, as many times as its inhabitants call for; one volunteer has a place already."""
    wanted = {id(unit): unit.share.inhabitants * VOLUNTEERS / 1000 for unit in here}
    chosen: list[Unit] = []
    while len(chosen) < VOLUNTEERS - 1:
        unit = max(here, key=lambda one: wanted[id(one)])
        wanted[id(unit)] -= 1
        chosen.append(unit)
    return chosen


def _by_turns() -> list[str]:
    """The organisation of each volunteer, evenly mixed; the volunteer with an account to try is of the first."""
    wanted = {code: float(count) for code, count in UNIONS.items()}
    wanted["HPN"] -= 1
    step = {code: count / VOLUNTEERS for code, count in wanted.items()}
    credit = dict.fromkeys(wanted, 0.0)
    chosen = []
    for _ in range(VOLUNTEERS - 1):
        credit = {code: value + step[code] for code, value in credit.items()}
        code = max(credit, key=lambda one: credit[one])
        credit[code] -= 1
        chosen.append(code)
    return chosen


class _Accounts:
    """Adds people who sign in."""

    def __init__(
        self, session: Session, town_id: UUID, password_hash: str, random: Random, number: Numbering, at: datetime
    ) -> None:
        self.session, self.town_id, self.password_hash = session, town_id, password_hash
        self.random, self.number, self.at = random, number, at
        self.phones: set[str] = {"+84912000119"}

    def phone(self) -> str:
        """A mobile number that no other account has."""
        while True:
            phone = f"+84{PREFIXES.draw(self.random)}{self.random.randrange(10**7):07d}"
            if phone not in self.phones:
                self.phones.add(phone)
                return phone

    def add(
        self,
        role: Role,
        sex: Sex,
        *,
        email: str | None = None,
        phone: str | None = None,
        organisation_id: UUID | None,
        place_id: UUID | None,
    ) -> User:
        key = self.number()
        user = User(
            town_id=self.town_id,
            id=key,
            full_name=full_name(self.random, sex, self.random.randint(1960, 1992)),
            email=email,
            phone=phone,
            password=self.password_hash,
            fs_uniquifier=key.hex,
            role=role,
            organisation_id=organisation_id,
            place_id=place_id,
            created_at=self.at,
        )
        self.session.add(user)
        return user


def lines_of(accounts: Sequence[Mapping[str, str]], password: str) -> list[str]:
    """What the terminal says of the accounts."""
    width = max((len(account["identity"]) for account in accounts), default=0)
    rows = [f"  {one['identity']:<{width}}  {one['role']:<10} {one['name']}" for one in accounts]
    phone = f"  (the volunteer signs in with {pretty('+84912000119')} as well)"
    return [f"Demo accounts, all with the password {password}:", *rows, phone]
