"""What taking part adds to a person's page: a card, happenings of the timeline, and the next step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import TIMESTAMP, ColumnElement, SQLColumnExpression, and_, cast, exists, func, literal, select

from crm import clock
from crm.accounts.gateway import current_user
from crm.accounts.queries import Scope
from crm.accounts.rules import May
from crm.db import session
from crm.errors import RuleBroken
from crm.kept import kept
from crm.months import MONTHS_IN_YEAR, Month
from crm.participation import months, payers, queries
from crm.participation.calendar import STATES
from crm.participation.guard.rules import AVOIDABLE, RETURNS, STOP_REASONS, StopReason, notice_of, said_of_return
from crm.participation.models import Participation, Payment
from crm.participation.rules import (
    BEGINNINGS,
    DUE_SOON,
    ENDINGS,
    MAY_END,
    USUAL,
    Beginning,
    Ending,
    basis_for,
    first_day_to_pay,
    joins_from,
)
from crm.participation.screening.queries import barred_among
from crm.places.models import Place
from crm.premiums.queries import all_top_ups, law
from crm.premiums.rules.benefits.retirement import Birth, retirement
from crm.premiums.rules.groups import GROUPS, Group
from crm.premiums.rules.keys import PERIODS, LawKey
from crm.premiums.rules.law import Law
from crm.premiums.rules.quotes import Plan, Quote, nearest_income
from crm.premiums.rules.wording import GROUNDS
from crm.prospects import cards
from crm.prospects.cards import PERSON, Card, Event, Happened, Kind, Look, Step, Trail, facts_as, of_person
from crm.prospects.models import Prospect
from crm.prospects.rules import Ground, Stage, grounds_held
from crm.web import filters
from crm.web.language import chosen
from crm.web.once import once

OF_A_PREMIUM = frozenset({*GROUPS[Group.PAYING], *GROUPS[Group.HELP]})
"""The numbers of the law that decide what a payment costs."""


def _law() -> Law:
    """The law, read once for a page."""
    return once("law", lambda: kept("law", lambda: law(session())))


def card(person: Prospect, scope: Scope, today: date) -> Card | None:
    """«Takes part, paid through …» for a participant; «how much would it be?» for everyone else."""
    spell = _open_spell(person)
    may = current_user().may
    records = basis_for(may) is not None
    papers = may(May.ENROL) and not records  # for those who take the money or answer for the books
    acts = {"enrol": records, "papers": papers, "stop": records, "edit": may(May.EDIT_PEOPLE)}
    if spell:
        late = spell.deadline_on is not None and spell.deadline_on < today
        soon = spell.deadline_on is not None and spell.deadline_on <= today + DUE_SOON
        told, used = _next_payment(person, spell, today)
        facts = {
            "spell": spell,
            "late": late,
            "soon": soon,
            "acts": acts,
            "told": told,
            "used": used,
            "ahead": told is not None and told.paid_on > today,
            "later": _under_the_next_law(person, spell, told, today) if told else None,
            "grounds": GROUNDS,
            "near_pension": _near_pension(person, today),
        }
        return Card("participation/_card.html", facts, order=10, looks=[_paid_through(spell, late=late, soon=soon)])
    if person.stage is Stage.NOT_ELIGIBLE:
        return _gone_over(person, today, acts)
    if from_when := _too_young(person, today):
        return Card("participation/_not_yet.html", {"from_when": from_when}, order=10, looks=[_joins(from_when)])
    barred, left = _barred(person, today), _left(person)
    if barred and left is None:
        return None
    told, used = (None, False) if barred else _told(person, today)
    facts = {"told": told, "acts": acts, "grounds": GROUNDS, "left": left, "reasons": STOP_REASONS, "barred": barred}
    facts |= {"used": used, "near_pension": _near_pension(person, today), "returns": RETURNS}
    if left:
        facts["back"], facts["again_on"] = said_of_return(left.stays_away, left.asked_on, person.next_contact_on, today)
    return Card("participation/_how_much.html", facts, order=10, looks=[_would_pay(told, used=used)] if told else [])


def _gone_over(person: Prospect, today: date, acts: Mapping[str, bool]) -> Card | None:
    """Somebody who left for a reason that may end is offered the way back; the others are not."""
    last = next(iter(_spells(person)), None)
    if last is None or last.ended_as not in MAY_END or _barred(person, today):
        return None
    return Card("participation/_gone_over.html", {"left": last, "endings": ENDINGS, "acts": acts}, order=10)


def _barred(person: Prospect, today: date) -> bool:
    """Whether somebody's own answers or the insurance office keep them out: no premium is told and no joining offered, for
    the card of the screening says where they belong."""
    return once(
        ("barred", person.id), lambda: bool(barred_among(session(), person.town_id, [person.id], today, _law()))
    )


def _left(person: Prospect) -> Participation | None:
    """The last spell of somebody who let it lapse or stopped: they are asked why."""
    last = next(iter(_spells(person)), None)
    return last if last and last.ended_as in AVOIDABLE else None


YEARS_SHOWN = 3
"""How many years stand on the page itself; the page of the months shows all."""


def months_card(person: Prospect, scope: Scope, today: date) -> Card | None:
    """The months of whoever takes part or did: who paid each, in one picture."""
    if not _spells(person):
        return None
    told = months.told(session(), person, _law(), today)
    years = told.calendar.by_year()[-YEARS_SHOWN:]
    facts = {"told": told, "years": years, "states": STATES, "shown": months.shown_states(told.calendar)}
    return Card("participation/_months.html", facts, order=11, looks=_support_ends(told.support_ends, today))


def _support_ends(last: Month | None, today: date) -> Sequence[Look]:
    """From twelve months before: the State's support is used up, and from when on all is theirs to pay."""
    if last is None or notice_of(last, today) is None:
        return ()
    language = chosen()
    until, after = (filters.month(month.first_day, language) for month in (last, last + 1))
    words = _("The State's support is used up with %(month)s", month=until)
    return [Look("coins", words, _("From %(month)s on the whole premium is theirs.", month=after), "due", order=41)]


def _paid_through(spell: Participation, *, late: bool, soon: bool) -> Look:
    language, kind = chosen(), "late" if late else "due" if soon else "leaf"
    paid = filters.month(spell.paid_through, language)
    if late:
        return Look("money", _("Overdue, paid through %(month)s", month=paid), order=40, kind="late")
    by = _("Pay on by %(day)s", day=filters.in_day(spell.deadline_on)) if spell.deadline_on else None
    return Look("money", _("Takes part, paid through %(month)s", month=paid), by, kind, order=40)


def _too_young(person: Prospect, today: date) -> date | None:
    """From when somebody may join who has not reached the age for it."""
    of_today = _law().on(today)
    if not of_today.says(LawKey.LEAST_AGE):
        return None
    day = joins_from(person.birth_date, person.birth_year, of_today.number(LawKey.LEAST_AGE))
    return day if day and day > today else None


def _near_pension(person: Prospect, today: date) -> bool:
    """Whether the age of retirement is reached or comes within a year: then one speaks of months that are missing."""
    birth = Birth.known(person.birth_date, person.birth_year)
    if birth is None or person.sex is None:
        return False
    try:
        reached = retirement(_law(), person.sex, birth).reached
    except RuleBroken:
        return False
    return reached <= Month.of(today) + MONTHS_IN_YEAR


def _joins(from_when: date) -> Look:
    words = _("May join from %(day)s on", day=filters.in_day(from_when))
    return Look("lock", words, _("not of the age for joining yet"), order=40)


def _would_pay(told: Quote, *, used: bool) -> Look:
    language = chosen()
    words = _("%(amount)s a month", amount=filters.vnd(told.a_month, language))
    note = _("if they join, after what a sponsor pays") if used else _("if they join, on the least income")
    return Look("money", words, note, order=40)


def _spells(person: Prospect) -> Sequence[Participation]:
    return once(("spells", person.id), lambda: session().scalars(queries.spells_of(person)).all())


def _open_spell(person: Prospect) -> Participation | None:
    return next((spell for spell in _spells(person) if spell.ended_on is None), None)


def step(person: Prospect, scope: Scope, today: date) -> Step | None:
    """Pay on when it is due soon and not too late; join when somebody has agreed. Only whoever may record the money."""
    if basis_for(current_user().may) is None:
        return None
    if person.stage is Stage.AGREED and not _barred(person, today):
        return Step(
            _("Record that they join"), url_for("participation.enrol_form", prospect_id=person.id), "joined", order=20
        )
    spell = _open_spell(person) if person.stage is Stage.JOINED else None
    if spell and spell.deadline_on and today <= spell.deadline_on <= today + DUE_SOON:
        return Step(
            _("Record the next payment"), url_for("participation.pay_form", prospect_id=person.id), "money", order=10
        )
    return None


def _under_the_next_law(person: Prospect, spell: Participation, told: Quote, today: date) -> Quote | None:
    """The same payment from the first day on, after the one it is told for and within the time to pay, on which another
    law makes it cost something else."""
    told_for, until = told.paid_on, spell.deadline_on or today
    rows = (row for row in _law().values if row.counts and row.key in OF_A_PREMIUM)
    days = {row.since for row in rows if told_for < row.since <= until}
    quotes = (_next_payment(person, spell, today, paid_on=day)[0] for day in sorted(days))
    return next((one for one in quotes if one and one.payable != told.payable), None)


def _next_payment(
    person: Prospect, spell: Participation, today: date, *, paid_on: date | None = None
) -> tuple[Quote | None, bool]:
    """What the next payment costs if it is paid on a day, by default the first on which it may be, and who bears it, and
    whether a sponsor's money waits for it; None where that is not known: the months before are not on record, or the way
    to pay is not one of periods."""
    if spell.paid_through is None or spell.deadline_on is None:
        return None, False
    all_law, start, months = _law(), Month.of(spell.paid_through) + 1, spell.method or 1
    waiting = next((one for one in payers.waiting(session(), person) if one.start == start), None)
    months = waiting.months if waiting and waiting.months in PERIODS.values() else months
    used = waiting if waiting and waiting.is_for(start, months) else None
    try:
        day = paid_on or first_day_to_pay(all_law, start, today)
        told = queries.quote_for(
            session(),
            person,
            all_law=all_law,
            top_ups=kept(("top-ups", person.town_id), lambda: all_top_ups(session(), person.town_id)),
            income=nearest_income(all_law.on(day), spell.income),
            plan=Plan.periodic(months),
            start=start,
            paid_on=day,
            grounds=_grounds(person, today),
            other_support=used.share.amount if used else 0,
        )
    except RuleBroken:
        return None, False
    return told, used is not None


def _told(person: Prospect, today: date) -> tuple[Quote | None, bool]:
    """A quote on the least income for the usual period, or for the months that a sponsor's money waits for, and whether it
    does; None where the law of the day is not on record."""
    waits = (one for one in payers.waiting(session(), person) if one.months in PERIODS.values())
    if (waiting := next(waits, None)) and (told := _joining(person, today, waiting.start, waiting.months, waiting)):
        return told, True
    return _joining(person, today, Month.of(today), PERIODS[USUAL]), False


def _joining(
    person: Prospect, today: date, start: Month, months: int, waiting: payers.SetAside | None = None
) -> Quote | None:
    all_law = _law()
    try:
        return queries.quote_for(
            session(),
            person,
            all_law=all_law,
            top_ups=kept(("top-ups", person.town_id), lambda: all_top_ups(session(), person.town_id)),
            income=all_law.on(today).floor,
            plan=Plan.periodic(months),
            start=start,
            paid_on=today,
            grounds=_grounds(person, today),
            other_support=waiting.share.amount if waiting else 0,
        )
    except RuleBroken:
        return None


def _grounds(person: Prospect, today: date) -> tuple[Ground, ...]:
    """Every ground for support someone has today, from what the page has read already."""
    papers = (one.ground for one in cards.standings(person) if one.holds_on(today))
    home = session().get(Place, (person.town_id, person.place_id))
    return grounds_held(papers, special=home is not None and home.special)


def _paid(row: Happened) -> Event:
    facts, language = row.facts, chosen()
    if facts["taken_back"]:
        return Event(row.at, _("Payment taken back"), "undo", "quiet", row.by)
    text = ngettext(
        "%(num)s month from %(start)s; the person %(own)s, the State %(state)s",
        "%(num)s months from %(start)s; the person %(own)s, the State %(state)s",
        facts["months"],
        start=filters.month(date.fromisoformat(facts["start"]), language),
        own=filters.vnd(facts["own"], language),
        state=filters.vnd(facts["state"], language),
    )
    if facts["sponsors"]:
        text += _(", sponsors %(amount)s", amount=filters.vnd(facts["sponsors"], language))
    return Event(row.at, _("Paid"), "money", "leaf", row.by, text)


def _began(row: Happened) -> Event:
    return Event(row.at, BEGINNINGS[Beginning(row.facts["as"])], "joined", "leaf", row.by, whole_day=row.facts["day"])


def _ended(row: Happened) -> Event:
    told = row.facts["because"]
    because = STOP_REASONS[StopReason(told)] if told else None
    return Event(row.at, ENDINGS[Ending(row.facts["as"])], "paused", "late", row.by, because, whole_day=True)


def _midnight(day: SQLColumnExpression[Any]) -> ColumnElement[datetime]:
    """The moment at which a day begins in Vietnam."""
    return func.timezone(clock.LOCAL.key, cast(day, TIMESTAMP()))


_STANDS = and_(of_person(Participation), Participation.withdrawn_at.is_(None))
_FIRST_PAID = (
    select(func.min(Payment.recorded_at))
    .where(Payment.town_id == Participation.town_id, Payment.participation_id == Participation.id)
    .where(Payment.prospect_id == PERSON)
    .scalar_subquery()
)
_NOBODY = literal(None, Participation.recruited_by_id.type)
TRAILS = (
    Trail(
        "payments",
        Kind.MONEY,
        select(Payment).where(of_person(Payment)),
        at=Payment.recorded_at,
        id=Payment.id,
        by=Payment.recorded_by_id,
        facts=facts_as(
            taken_back=Payment.reverses_id.is_not(None),
            months=Payment.months,
            start=Payment.start_month,
            own=Payment.own,
            state=Payment.state_support,
            sponsors=Payment.other_support,
        ),
        tell=_paid,
    ),
    Trail(
        "begun",
        Kind.MONEY,
        select(Participation).where(_STANDS),
        at=func.coalesce(_FIRST_PAID, _midnight(Participation.started_on)),
        id=Participation.id,
        by=Participation.recruited_by_id,
        facts=facts_as(**{"as": Participation.started_as, "day": _FIRST_PAID.is_(None)}),
        tell=_began,
    ),
    Trail(
        "ended",
        Kind.MONEY,
        select(Participation).where(_STANDS, Participation.ended_on.is_not(None)),
        at=_midnight(Participation.ended_on),
        id=Participation.id,
        by=_NOBODY,
        facts=facts_as(**{"as": Participation.ended_as, "because": Participation.stop_reason}),
        tell=_ended,
    ),
)
"""Each payment, joining, and how it ended."""


def register() -> None:
    """Let a person's page ask."""
    cards.register(card=card, trails=TRAILS, step=step)
    cards.register(card=months_card, when=exists().where(of_person(Participation)))
