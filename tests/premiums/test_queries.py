"""The law on record is the law that is shipped, and a town's own additions stand beside it."""

from datetime import date
from decimal import Decimal

from sqlalchemy.orm import Session

from crm.ids import new_id
from crm.places.models import Town
from crm.premiums import queries, services
from crm.premiums.models import LocalTopUpRow
from crm.premiums.rules.keys import LawKey
from crm.prospects.rules import Ground
from tests.factories import Make


def test_the_law_on_record_is_the_law_that_is_shipped(session: Session) -> None:
    on_record, shipped = queries.law(session), services.law_as_shipped()
    assert set(on_record.values) == set(shipped.values)
    assert [str(value.value) for value in on_record.values if value.key is LawKey.INVESTMENT_PERCENT] == ["0.31"]


def test_every_number_of_the_law_is_seeded_but_the_one_of_which_no_source_was_seen() -> None:
    unread = {LawKey.GAP_MONTHS_PAYABLE}
    assert {value.key for value in services.law_as_shipped().values} == set(LawKey) - unread
    assert all(value.document and value.source for value in services.law_as_shipped().values)


def add_top_up(make: Make, town_id: object = None, until: date | None = None) -> None:
    make.add(
        LocalTopUpRow(
            town_id=town_id or make.town.id,
            ground=Ground.POOR,
            percent=Decimal(50),
            effective_from=date(2025, 1, 1),
            effective_to=until,
            document="Nghị quyết 32/2024/NQ-HĐND",
        )
    )


def test_a_town_sees_its_own_additions_while_they_hold(session: Session, make: Make) -> None:
    add_top_up(make, until=date(2025, 12, 31))
    assert len(queries.top_ups_here(session, date(2025, 12, 31))) == 1
    assert not queries.top_ups_here(session, date(2026, 1, 1))
    assert not queries.top_ups_here(session, date(2024, 12, 31))


def test_where_there_are_two_towns_nobody_guesses_which(session: Session, make: Make) -> None:
    other = make.add(Town(id=new_id(), code="other", name="Nơi khác"))
    add_top_up(make, town_id=other.id)
    assert not queries.top_ups_here(session, date(2025, 6, 1))
    assert not queries.local_top_ups(session, make.town.id, date(2025, 6, 1))
    assert len(queries.local_top_ups(session, other.id, date(2025, 6, 1))) == 1
