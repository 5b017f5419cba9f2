"""What a dossier adds to a person's page: where it stands, the next step, and its steps told."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import and_, exists, select
from sqlalchemy.orm import aliased

from crm.accounts.gateway import current_user
from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.accounts.rules import May
from crm.db import session
from crm.joining.models import Dossier, DossierStep
from crm.joining.queries import open_dossier_of
from crm.joining.rules import STATES, State
from crm.participation.screening.queries import latest as screened
from crm.prospects import cards
from crm.prospects.cards import PERSON, TOWN, Card, Event, Happened, Kind, Look, Step, Trail, facts_as, of_person
from crm.prospects.models import Prospect
from crm.prospects.rules import Stage
from crm.web.once import once

TOLD = {
    State.DRAFT: ("record", "quiet"),
    State.READY: ("check", "jade"),
    State.HANDED_OVER: ("agreed", "jade"),
    State.SUBMITTED: ("office", "jade"),
    State.RETURNED: ("undo", "late"),
    State.ACCEPTED: ("done", "leaf"),
    State.WITHDRAWN: ("close", "quiet"),
}


def card(person: Prospect, scope: Scope, today: date) -> Card | None:
    """The open dossier of somebody."""
    dossier = _open(person)
    if dossier is None:
        return None
    late = dossier.state is State.RETURNED
    look = Look(
        "document", _("Papers: %(state)s", state=STATES[dossier.state]), kind="late" if late else "plain", order=38
    )
    return Card("joining/_card.html", {"dossier": dossier}, order=8 if late else 12, looks=[look])


def step(person: Prospect, scope: Scope, today: date) -> Step | None:
    """Mend what came back; finish what was begun; begin with who has agreed and was asked."""
    if not current_user().may(May.ENROL):
        return None
    dossier = _open(person) if person.stage is not Stage.NOT_ELIGIBLE else None
    if dossier:
        words: dict[State, Any] = {
            State.RETURNED: _("Mend the papers that came back"),
            State.DRAFT: _("Finish the papers"),
            State.READY: _("Hand the papers over"),
        }
        if dossier.state not in words:
            return None
        url = url_for("joining.show", dossier_id=dossier.id)
        return Step(words[dossier.state], url, "document", order=4 if dossier.state is State.RETURNED else 9)
    if person.stage is Stage.AGREED and screened(session(), person):
        return Step(_("Prepare the papers"), url_for("joining.prepare", prospect_id=person.id), "document", order=14)
    return None


def _open(person: Prospect) -> Dossier | None:
    return once(("dossier", person.id), lambda: open_dossier_of(session(), person))


def _told(row: Happened) -> Event:
    state = State(row.facts["state"])
    icon, kind = TOLD[state]
    words = _("Papers: %(state)s", state=STATES[state])
    more = _("Look at it"), url_for("joining.show", dossier_id=row.facts["dossier"])
    return Event(row.at, words, icon, kind, row.by, row.facts["agent"], row.facts["note"], more=more)


_AGENT = aliased(User)
STEPS = Trail(
    "dossier",
    Kind.OFFICE,
    select(DossierStep)
    .join(Dossier, and_(Dossier.town_id == DossierStep.town_id, Dossier.id == DossierStep.dossier_id))
    .outerjoin(_AGENT, and_(_AGENT.town_id == DossierStep.town_id, _AGENT.id == DossierStep.agent_id))
    .where(Dossier.town_id == TOWN, Dossier.prospect_id == PERSON),
    at=DossierStep.at,
    id=DossierStep.id,
    by=DossierStep.by_id,
    facts=facts_as(state=DossierStep.to_state, note=DossierStep.note, agent=_AGENT.full_name, dossier=Dossier.id),
    tell=_told,
)


def register() -> None:
    """Let a person's page ask."""
    cards.register(card=card, when=exists().where(of_person(Dossier)), trails=(STEPS,), step=step)
