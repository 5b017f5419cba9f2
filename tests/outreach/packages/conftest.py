"""A lead, two volunteers, and a neighbourhood of people whom nobody has met."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.names import fold
from crm.outreach.packages import services
from crm.outreach.packages.rules import NewPackage
from crm.outreach.packages.services import Given
from crm.places.models import Place
from crm.places.rules import PlaceKind
from crm.prospects.models import Prospect
from tests.factories import Make

NOW = clock.at(date(2019, 10, 15), 9)
UNTIL = date(2019, 10, 20)

Give = Callable[..., Given]


@pytest.fixture
def part(make: Make) -> Place:
    ward = make.ward()
    row = Place(
        town_id=make.town.id,
        name="Khu phố 3",
        name_fold=fold("Khu phố 3"),
        kind=PlaceKind.NEIGHBOURHOOD,
        parent_id=ward.id,
        valid_from=date(2000, 1, 1),
    )
    return make.add(row)  # type: ignore[no-any-return]


@pytest.fixture
def phuong(make: Make) -> User:
    return make.user(Role.LEAD, full_name="Lê Thị Phượng", organisation_id=make.organisation().id)


@pytest.fixture
def lan(make: Make) -> User:
    return make.user(Role.VOLUNTEER, full_name="Trịnh Thị Lan", organisation_id=make.organisation().id)


@pytest.fixture
def hoa(make: Make) -> User:
    return make.user(Role.VOLUNTEER, full_name="Mai Thị Hoa", organisation_id=make.organisation().id)


@pytest.fixture
def people(make: Make, part: Place) -> list[Prospect]:
    """Four people of the neighbourhood, at doors 10, 2, 2A and 9."""
    union = make.organisation().id
    return [
        make.prospect(name, address=f"Số {door} Trần Phú", neighbourhood_id=part.id, organisation_id=union)
        for name, door in (("Vũ An", "10"), ("Vũ Bình", "2"), ("Vũ Cúc", "2A"), ("Vũ Dung", "9"))
    ]


@pytest.fixture
def give(session: Session, phuong: User, lan: User, people: list[Prospect]) -> Give:
    """`give()`: the four to Lan until the twentieth; `give(people[:1], to=hoa)`."""

    def act(who: list[Prospect] | None = None, *, to: User = lan, by: User = phuong, until: date = UNTIL) -> Given:
        new = NewPackage(to.id, until, "Khu phố 3", "Nhờ chị")
        ids = [one.id for one in (people if who is None else who)]
        return services.give(session, scope_of(session, by), new, ids, by=by, at=NOW)

    return act
