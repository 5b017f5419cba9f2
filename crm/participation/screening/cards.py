"""What screening adds to a person's page: what the law says of them, the questions as next step, and the answers told."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import exists, or_, select

from crm.accounts.gateway import current_user
from crm.accounts.queries import Scope
from crm.accounts.rules import May
from crm.db import session
from crm.kept import kept
from crm.participation.referrals.models import Referral, ReferralList
from crm.participation.referrals.rules import ANSWERS, STATES, Answer, State
from crm.participation.screening.models import Screening
from crm.participation.screening.queries import latest, verdict_of
from crm.participation.screening.rules import KINDS, SIGNS
from crm.premiums.queries import law
from crm.prospects import cards
from crm.prospects.cards import Card, Event, Happened, Kind, Look, Step, Trail, facts_as, of_person
from crm.prospects.models import Prospect
from crm.prospects.rules import Stage
from crm.web import filters

ASKED_AT = (Stage.INTERESTED, Stage.AGREED)
"""Stages at which it is worth asking whether somebody may join at all."""


def card(person: Prospect, scope: Scope, today: date) -> Card | None:
    """What the law says of somebody who was asked, and where their referral stands."""
    verdict = verdict_of(session(), person, today, kept("law", lambda: law(session())))
    query = select(Referral).where(Referral.town_id == person.town_id, Referral.prospect_id == person.id)
    referral = session().scalars(query.order_by(Referral.referred_at.desc()).limit(1)).first()
    facts: dict[str, Any] = {
        "verdict": verdict,
        "referral": referral,
        "kinds": KINDS,
        "states": STATES,
        "answers": ANSWERS,
    }
    facts["may_ask"] = current_user().may(May.ENROL)
    sign, _banner = SIGNS[verdict.kind]
    look = Look(sign, KINDS[verdict.kind], kind="late" if verdict.barred else "plain", order=35)
    return Card("participation/_screening.html", facts, order=44, looks=[look])


def step(person: Prospect, scope: Scope, today: date) -> Step | None:
    """Ask whether somebody may join before their papers are prepared."""
    if person.stage not in ASKED_AT or not current_user().may(May.ENROL) or latest(session(), person):
        return None
    order = 12 if person.stage is Stage.AGREED else 60
    return Step(_("May they join? Ask"), url_for("screening.ask", prospect_id=person.id), "list", order=order)


def _asked(row: Happened) -> Event:
    return Event(row.at, _("Asked whether they may join"), "list", "jade", row.by)


def _referred(row: Happened) -> Event:
    return Event(row.at, _("Put on the insurance office's referral list"), "office", "due", row.by)


def _sent(row: Happened) -> Event:
    text = _("list %(number)s of %(day)s", number=f"{row.facts['number']}/{row.facts['year']}", day=_day(row))
    return Event(row.at, _("Sent to the insurance office"), "send", "jade", row.by, text)


def _day(row: Happened) -> str:
    return str(filters.in_day(date.fromisoformat(row.facts["on"])))


def _answered(row: Happened) -> Event:
    said = ANSWERS[Answer(row.facts["answer"])]
    return Event(row.at, _("The insurance office answered"), "office", "jade", row.by, said, row.facts["note"])


TRAILS = (
    Trail(
        "screened",
        Kind.CHANGES,
        select(Screening).where(of_person(Screening)),
        at=Screening.at,
        id=Screening.id,
        by=Screening.by_id,
        facts=facts_as(work=Screening.work),
        tell=_asked,
    ),
    Trail(
        "referred",
        Kind.OFFICE,
        select(Referral).where(of_person(Referral)),
        at=Referral.referred_at,
        id=Referral.id,
        by=Referral.referred_by_id,
        facts=facts_as(state=Referral.state),
        tell=_referred,
    ),
    Trail(
        "referral_sent",
        Kind.OFFICE,
        select(Referral)
        .join(ReferralList, (ReferralList.town_id == Referral.town_id) & (ReferralList.id == Referral.list_id))
        .where(of_person(Referral)),
        at=ReferralList.at,
        id=Referral.id,
        by=ReferralList.by_id,
        facts=facts_as(number=ReferralList.number, year=ReferralList.year, on=ReferralList.sent_on),
        tell=_sent,
    ),
    Trail(
        "referral_answered",
        Kind.OFFICE,
        select(Referral).where(of_person(Referral), Referral.state == State.ANSWERED),
        at=Referral.answered_at,
        id=Referral.id,
        by=Referral.answered_by_id,
        facts=facts_as(answer=Referral.answer, note=Referral.note),
        tell=_answered,
    ),
)


def register() -> None:
    """Let a person's page ask."""
    asked = exists().where(of_person(Screening))
    referred = exists().where(of_person(Referral))
    cards.register(card=card, when=or_(asked, referred), trails=TRAILS, step=step)
