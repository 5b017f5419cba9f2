"""How the database answers a narrowed list: by an index it can begin from, whatever the town's size."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from crm.accounts.queries import Scope
from crm.accounts.rules import Reach, Role
from crm.prospects.lists.narrowing import Narrowing
from crm.prospects.queries.lists import Explained, people
from crm.prospects.queries.seeing import ORDER
from tests.factories import Make

TODAY = date(2019, 10, 15)


def plan(session: Session, scope: Scope, **asked: Any) -> str:
    """The plan of a first page, as JSON, where reading whole tables is no choice."""
    session.execute(text("set local enable_seqscan = off"))
    filters = Narrowing.from_args(asked).filters(session, scope, TODAY)
    query = people(scope, filters, today=TODAY).order_by(*ORDER).limit(49)
    return str(session.execute(Explained(query)).scalar_one())


@pytest.fixture
def scope(make: Make) -> Scope:
    return Scope(make.town.id, make.user(Role.MANAGER).id, Reach.ALL, None, None)


@pytest.mark.parametrize("consent", ["service", "not_service", "promotion", "not_promotion"])
def test_consent_is_asked_of_each_person_and_never_listed_as_a_whole(
    session: Session, scope: Scope, consent: str
) -> None:
    told = plan(session, scope, consent=consent)
    assert "SubPlan" not in told
    assert ("'Join Type': 'Anti'" if consent.startswith("not_") else "'Join Type': 'Semi'") in told or (
        "'Inner Unique': True" in told
    )


@pytest.mark.parametrize(
    ("asked", "index"),
    [({"standing": "poor"}, "standing"), ({"standing": "ethnic_minority"}, "standing"), ({"tag": "018f0000-0000-7000-8000-000000000001"}, "person_tag"), ({"condition": "grounds_without_paper"}, "standing")],
)  # fmt: skip
def test_what_other_tables_say_is_joined_by_an_index(
    session: Session, scope: Scope, asked: dict[str, str], index: str
) -> None:
    told = plan(session, scope, **asked)
    assert f"'Relation Name': '{index}'" in told
    assert "Seq Scan" not in told
    assert "SubPlan" not in told


def test_people_nobody_looks_after_are_a_list_of_their_own(session: Session) -> None:
    query = text("select indexdef from pg_indexes where indexname = 'ix_prospect_nobody'")
    told = session.scalar(query)
    assert told is not None
    assert "volunteer_id IS NULL" in told
