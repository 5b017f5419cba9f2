"""A target changes by further revisions; what it was stays, and of two who change it at once the second is told."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.errors import Conflict, RuleBroken
from crm.targets import queries
from crm.targets.models import Target
from crm.targets.rules import Facts, Indicator, Whose
from crm.targets.services import set_target
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
