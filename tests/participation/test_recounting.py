"""What stands with spells is compared with a recount from the months, and what differs is named."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from crm.accounts.rules import Role
from crm.participation import services
from crm.participation.queries import standing_payments
from crm.participation.recounting import differences
from tests.factories import Make
from tests.participation.stories import join, noon, pay


def test_books_that_were_kept_by_the_program_say_the_same(session: Session, make: Make) -> None:
    person, manager = make.prospect(), make.user(Role.MANAGER)
    join(person, date(2019, 4, 2))
    pay(person, date(2019, 7, 2))
    last = session.scalars(standing_payments(person).limit(1)).one()
    services.reverse_payment(session, last, by=manager, at=noon(date(2019, 7, 3)))
    assert differences(session) == []


def test_a_spell_that_says_another_month_is_found_and_named(session: Session, make: Make) -> None:
    person = make.prospect()
    spell = join(person, date(2019, 4, 2))
    for wrong in (date(2019, 5, 1), date(2019, 12, 1), None):
        spell.paid_through = wrong
        session.flush()
        (found,) = differences(session)
        assert "spells" in found
        assert str(person.id) in found
