"""What stands with a spell follows from its paid months, also for whoever writes around the program."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.factories import Make
from tests.participation.stories import join


@pytest.mark.parametrize(
    "statement",
    [
        "update participation set paid_through = date '2019-09-01' where id = :id",
        "update participation set paid_through = null, deadline_on = null where id = :id",
        "update participation set withdrawn_at = now() where id = :id",
    ],
)
def test_no_spell_says_less_than_its_months(session: Session, make: Make, statement: str) -> None:
    spell = join(make.prospect(), date(2019, 10, 2))
    session.flush()
    session.execute(text("set constraints all immediate"))
    with pytest.raises(DBAPIError, match="spell"), session.begin_nested():
        session.execute(text(statement), {"id": spell.id})


def test_a_list_may_know_of_later_months(session: Session, make: Make) -> None:
    spell = join(make.prospect(), date(2019, 10, 2))
    session.flush()
    session.execute(text("set constraints all immediate"))
    session.execute(text("update participation set paid_through = date '2020-06-01' where id = :id"), {"id": spell.id})
