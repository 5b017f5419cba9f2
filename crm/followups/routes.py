"""Today's list of one volunteer, whom to log a visit for, and what one's own work came to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.queries import Scope
from crm.accounts.rules import May
from crm.db import session
from crm.followups import queries
from crm.followups.conditions import NEGLECTED
from crm.followups.keeping.queries import rising
from crm.followups.queries import Due
from crm.followups.rules import ASK_WHY, OPEN_FIRST, SAY, STATES, why
from crm.followups.wording import figures_of, payments_of
from crm.ids import new_id
from crm.months import Month
from crm.outreach.packages import queries as packages
from crm.outreach.queries import Narrowed, page_of_visits
from crm.outreach.rules import Figures, PaymentDue, Reason, what_to_say
from crm.participation.guard.rules import STOP_REASONS
from crm.places.models import Town
from crm.premiums.queries import law
from crm.prospects.queries.facts import facts_of
from crm.prospects.queries.lists import people
from crm.prospects.rules import deciding
from crm.sponsors.conditions import SPONSOR_UNPAID
from crm.web.filters import in_day
from crm.web.guard import may

bp = Blueprint("followups", __name__)
FOUND = 20
LATEST = 5


@bp.get("/today")
@may(May.LOG_VISITS)
def today() -> ResponseReturnValue:
    """A short list: whom to call on today, why, and what to say. With a cursor, those who follow."""
    scope, day, cursor = current_scope(), clock.today(), request.args.get("cursor")
    rules = law(session())
    told, month = queries.today(session(), scope, day, rules=rules, cursor=cursor), Month.of(day)
    figures = figures_of((one.facts for one in told.due), rules)
    months = [] if cursor else [queries.month_of(session(), scope, one) for one in (month, month - 1)]
    town = session().get_one(Town, scope.town_id).name
    payments = payments_of(told.due, rules)
    tasks = [_card(one, figures, payments, town) for one in told.due]
    return render_template(
        "followups/today.html",
        told=told,
        tasks=tasks,
        open_first=OPEN_FIRST,
        months=months,
        day=day,
        work=_NO_WORK if cursor else _work(scope, day),
        rising=rising(session(), scope, day) if current_user().may(May.ASSIGN) and not cursor else None,
        first_page=not cursor,
        neglected=NEGLECTED,
        unpaid=SPONSOR_UNPAID,
    )


_NO_WORK: Mapping[str, Any] = {"packages": (), "back": (), "delivered": (), "handed_on": 0}
"""Of the pages that follow the first, which has all this."""
TOLD_FOR = timedelta(days=7)
"""So long what came back stands on people's own pages."""


def _work(scope: Scope, day: date) -> dict[str, Any]:
    """The packages this person carries, what came back of theirs, and visits that found their way to somebody else."""
    since = clock.at(day) - TOLD_FOR
    return {
        "packages": packages.running_of(session(), scope),
        "back": packages.ended_for(session(), scope, since),
        "delivered": packages.delivered_to(session(), scope, since),
        "handed_on": packages.delivered_by(session(), scope, since),
    }


def _card(due: Due, figures: Mapping[UUID, Figures], payments: Mapping[UUID, PaymentDue], town: str) -> dict[str, Any]:
    """What a task's card shows, in the reader's language."""
    task, who, day = due.task, due.person, clock.today()
    neighbourhood = due.facts.neighbourhood.name if due.facts.neighbourhood else None
    where = ", ".join(filter(None, (due.facts.address, neighbourhood)))
    reasons = [Reason(one) for one in due.tried.reasons if one in list(Reason)]
    return {
        "person": who,
        "facts": due.facts,
        "client_id": new_id(),
        "age": day.year - who.birth_year if who.birth_year else None,
        "place": where or due.facts.place.name,
        "why": why(task, day, due.tried.times, in_day(task.day)),
        "also": [why(one, day, due.tried.times, in_day(one.day)) for one in task.also],
        "along": task.along,
        "ask_why": task.cause in ASK_WHY and current_user().may(May.EDIT_PEOPLE),
        "say": _of_the_lapse(due)
        or SAY.get(task.cause)
        or what_to_say(
            who.stage, deciding(due.facts.grounds_on(day)), reasons, figures.get(who.id), payments.get(who.id)
        ),
        "state": STATES[task.cause],
        "way": f"geo:0,0?q={quote(', '.join((where, due.facts.place.name, town)))}" if where else None,
    }


def _of_the_lapse(due: Due) -> Any:
    """What to say to who lapsed and has told why: nobody asks that twice."""
    if due.task.cause not in ASK_WHY or due.stopped is None:
        return None
    return _l("They stopped for this: «%(why)s». Ask whether they can pay again now.", why=STOP_REASONS[due.stopped])


@bp.get("/record")
@may(May.LOG_VISITS)
def record() -> ResponseReturnValue:
    """For whom? Those due today, or whoever the search finds."""
    scope, day, sought = current_scope(), clock.today(), request.args.get("q", "").strip()
    if sought:
        rows = session().scalars(people(scope, q=sought, today=day).limit(FOUND)).all()
        found = facts_of(session(), scope.town_id, rows, day)
    else:
        found = [due.facts for due in queries.today(session(), scope, day).due]
    return render_template("followups/record.html", found=found, sought=sought, most=FOUND)


@bp.get("/mine")
@may(May.LOG_VISITS)
def mine() -> ResponseReturnValue:
    """What my work came to, and the visits I recorded last."""
    scope, month = current_scope(), Month.of(clock.today())
    months = [queries.month_of(session(), scope, one) for one in (month, month - 1)]
    latest = page_of_visits(session(), scope, Narrowed(user_id=scope.user_id), size=LATEST).rows
    day = clock.today()
    return render_template("followups/mine.html", months=months, latest=latest, work=_work(scope, day), day=day)
