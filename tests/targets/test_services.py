"""A target changes by further revisions; what it was stays, and of two who change it at once the second is told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.errors import Conflict, RuleBroken
from crm.targets import queries
from crm.targets.models import Target
from crm.targets.rules import Facts, Indicator, Whose
from crm.targets.services import Told, set_target
from tests.factories import Make

TOWN = Whose(2019, Indicator.VOLUNTARY)


def changed(session: Session, make: Make, people: int = 1400, **more: object) -> Target:
    told = {
        "authority": "UBND thị xã",
        "document": "12/QĐ-UBND",
        "reason": "Tỉnh giao thêm",
        "by": make.user(Role.MANAGER),
    }
    facts = Facts(people, Decimal("1.3"), 106_538)
    return set_target(session, make.town.id, TOWN, facts, at=clock.now(), **told | more)  # type: ignore[arg-type]


def test_a_change_is_a_further_revision_and_the_history_keeps_both(session: Session, make: Make) -> None:
    row = changed(session, make)
    assert row.revision == 2
    found = queries.town_target(session, make.town.id, 2019)
    assert found is not None
    assert found.people == 1400
    revisions = queries.history(session, make.town.id, TOWN)
    assert [(one.people, one.reason) for one, _who in revisions] == [(1400, "Tỉnh giao thêm"), (1385, None)]


def test_a_change_without_a_reason_is_refused(session: Session, make: Make) -> None:
    with pytest.raises(RuleBroken) as refused:
        changed(session, make, reason=None)
    assert refused.value.field == "reason"


def test_whoever_changes_what_somebody_else_changed_meanwhile_is_told(session: Session, make: Make) -> None:
    changed(session, make, knowing=1)
    with pytest.raises(Conflict) as refused:
        changed(session, make, people=1500, knowing=1)
    assert refused.value.code == "target_changed"


def test_a_lead_holds_own_people_against_no_target_of_a_whole_of_which_they_are_a_part(
    session: Session, make: Make
) -> None:
    ward, union = make.ward(), make.organisation()
    told: Told = {"authority": "UBND", "document": None, "reason": "Giao", "by": None, "at": clock.now()}
    for whose in (Whose(2020, place_id=ward.id), Whose(2020, organisation_id=union.id)):
        set_target(session, make.town.id, whose, Facts(270), **told)

    def measured(role: Role, **unit: Any) -> tuple[set[Any], set[Any]]:
        scope = scope_of(session, make.user(role, **unit))
        return (
            set(queries.measured_places(session, scope, 2020)),
            set(queries.measured_organisations(session, scope, 2020)),
        )

    assert measured(Role.MANAGER) == ({ward.id}, {union.id})
    assert measured(Role.LEAD, place_id=ward.id) == ({ward.id}, set())
    assert measured(Role.LEAD, organisation_id=union.id) == (set(), {union.id})
    assert measured(Role.LEAD, place_id=ward.id, organisation_id=union.id) == (set(), set())
