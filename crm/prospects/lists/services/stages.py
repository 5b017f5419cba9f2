"""Moving many people to another stage by hand, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from crm.accounts.queries import Scope
from crm.accounts.rules import May
from crm.errors import RuleBroken
from crm.ids import new_id
from crm.prospects.lists import bulk
from crm.prospects.lists.bulk import Did, Doing, Kind, Then
from crm.prospects.lists.rules import BY_PAYMENTS, Why, check_stage
from crm.prospects.models import Prospect, StageChange
from crm.prospects.rules import Stage
from crm.prospects.wording import STAGES


def _check(_session: Session, _scope: Scope, sent: Mapping[str, Any]) -> dict[str, Any]:
    try:
        stage = check_stage(Stage(str(sent.get("stage") or "")))
    except ValueError:
        raise RuleBroken(_l("Choose the stage."), field="stage") from None
    if not str(sent.get("reason") or "").strip():
        raise RuleBroken(_l("Say why these people are moved. It is kept with what was done."), field="reason")
    return {"stage": stage.value}


def move_many(session: Session, doing: Doing, people: Sequence[UUID]) -> Did:
    """Let these people stand at the act's stage, with a step of each on record."""
    to = Stage(doing.act.detail["stage"])
    now = _stages_of(session, doing, people)
    why = {one: Why.ALREADY if now[one] is to else Why.TAKES_PART for one in people if not _may_move(now[one], to)}
    moved = [one for one in people if one not in why]
    _step(session, doing, {one: (now[one], to) for one in moved})
    return Did(why, {one: {"stage": now[one].value} for one in moved})


def move_back(session: Session, doing: Doing, people: Sequence[Then]) -> Mapping[UUID, Why]:
    """Let them stand where they stood, but not those who made another step since."""
    ids = [one.person for one in people]
    last = (
        select(StageChange.prospect_id, StageChange.because_id)
        .distinct(StageChange.prospect_id)
        .where(StageChange.town_id == doing.scope.town_id, StageChange.prospect_id.in_(ids))
        .order_by(StageChange.prospect_id, StageChange.at.desc(), StageChange.id.desc())
    )
    because = {row[0]: row[1] for row in session.execute(last)}
    now, to = _stages_of(session, doing, ids), Stage(doing.act.detail["stage"])
    still = {one for one in ids if because.get(one) == doing.act.id and now[one] is to}
    _step(session, doing, {one.person: (to, Stage(one.before["stage"])) for one in people if one.person in still})
    return {one: Why.TOUCHED for one in ids if one not in still}


def _may_move(now: Stage, to: Stage) -> bool:
    return now is not to and now not in BY_PAYMENTS


def _stages_of(session: Session, doing: Doing, people: Sequence[UUID]) -> dict[UUID, Stage]:
    query = select(Prospect.id, Prospect.stage).where(Prospect.town_id == doing.scope.town_id, Prospect.id.in_(people))
    return {row[0]: row[1] for row in session.execute(query)}


def _step(session: Session, doing: Doing, steps: Mapping[UUID, tuple[Stage, Stage]]) -> None:
    """Write the steps and what they lead to; one statement for each stage."""
    if not steps:
        return
    town_id = doing.scope.town_id
    session.execute(
        insert(StageChange),
        [
            {
                "town_id": town_id,
                "id": new_id(),
                "prospect_id": one,
                "from_stage": was,
                "to_stage": to,
                "at": doing.at,
                "by_id": doing.by.id,
                "because_id": doing.act.id,
            }
            for one, (was, to) in steps.items()
        ],
    )
    for stage in {to for _was, to in steps.values()}:
        session.execute(
            update(Prospect)
            .where(
                Prospect.town_id == town_id, Prospect.id.in_([one for one, step in steps.items() if step[1] is stage])
            )
            .values(stage=stage, updated_at=doing.at, version=Prospect.version + 1)
            .execution_options(synchronize_session=False)
        )
    session.expire_all()


bulk.register(
    Kind(
        "stage",
        _l("Move to another stage"),
        May.EDIT_PEOPLE,
        _check,
        move_many,
        move_back,
        lambda detail: _("Moved to “%(stage)s”", stage=STAGES[Stage(detail["stage"])]),
        icon="forward",
    )
)
