"""Rows for tests, believable by default."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import Organisation, User
from crm.accounts.rules import Role
from crm.accounts.services import add_token
from crm.names import fold, sort_key
from crm.places.models import Place, Town
from crm.places.queries import place_named, the_town
from crm.prospects.models import Prospect, Standing
from crm.prospects.rules import Ground

_numbers = itertools.count(1)


class Make:
    """Adds rows to a session and flushes them."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.town: Town = the_town(session)

    def add(self, row: Any) -> Any:
        self.session.add(row)
        self.session.flush()
        return row

    def ward(self, code: str = "14812@2019-10-15") -> Place:
        """Ba Đình unless told otherwise."""
        return place_named(self.session, self.town.id, code, today=date(2019, 10, 15))

    def organisation(self, code: str = "HPN") -> Organisation:
        """The Women's Union unless told otherwise."""
        return self.session.scalars(select(Organisation).where(Organisation.code == code)).one()

    def user(self, role: Role = Role.MANAGER, **fields: Any) -> User:
        number = next(_numbers)
        values: dict[str, Any] = {
            "town_id": self.town.id,
            "full_name": f"Người dùng {number}",
            "email": f"user{number}@example.vn",
            "role": role,
            "fs_uniquifier": f"user-{number}",
            "created_at": clock.now(),
            "active": True,
        }
        return self.add(User(**values | fields))  # type: ignore[no-any-return]

    def token(self, user: User, *scopes: str) -> str:
        return add_token(self.session, user, name="test", scopes=scopes, at=clock.now())

    def prospect(
        self, full_name: str = "Nguyễn Thị Đăng", *, grounds: tuple[Ground, ...] = (), **fields: Any
    ) -> Prospect:
        values: dict[str, Any] = {
            "town_id": self.town.id,
            "full_name": full_name,
            "name_fold": fold(full_name),
            "name_key": sort_key(full_name),
            "place_id": fields.pop("place", self.ward()).id,
            "created_at": clock.now(),
            "updated_at": clock.now(),
        }
        person: Prospect = self.add(Prospect(**values | fields))
        for ground in grounds:
            self.standing(person, ground)
        return person

    def standing(
        self, person: Prospect, ground: Ground, since: date = date(2019, 1, 1), until: date | None = date(2020, 1, 1)
    ) -> Standing:
        row = Standing(
            town_id=person.town_id,
            prospect_id=person.id,
            ground=ground,
            valid_from=since,
            valid_to=until,
            recorded_at=clock.now(),
        )
        return self.add(row)  # type: ignore[no-any-return]

    def phone(self) -> str:
        """A mobile number nobody else has in this test process."""
        return f"+8491{next(_numbers):07d}"
