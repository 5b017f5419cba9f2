"""Someone's months, read from the database and told: who paid each, when, under which rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from crm.months import Month
from crm.participation.calendar import NOTHING, Borne, Calendar, OneMonth, State, Stay, months_of, vouched
from crm.participation.elsewhere.queries import latest as insurance_record
from crm.participation.elsewhere.rules import NOTHING as NOTHING_BESIDE
from crm.participation.elsewhere.rules import Beside, Said, beside
from crm.participation.guard.rules import support_ends
from crm.participation.models import MonthPayer, ParticipantMonth, Participation, Payment
from crm.participation.payers import named
from crm.participation.queries import spells_of
from crm.participation.rules import LONGEST_OPEN, Beginning, Ending, first_months, late_months_from
from crm.participation.shares import Payer, Share
from crm.premiums.rules.keys import LawKey
from crm.premiums.rules.law import Law, LawOnDay
from crm.prospects.models import Prospect
from crm.web import filters
from crm.web.language import chosen

FROM_A_LIST = (Beginning.BASELINE, Beginning.LISTED)
"""Spells that vouch for months of which no payment is on record."""


@dataclass(frozen=True)
class Told:
    """A calendar with the payments behind it and the names of those who paid."""

    calendar: Calendar
    payments: Mapping[Any, Payment]
    payers: Mapping[Payer, str]
    cap: int | None
    """For how many months the State helps at most, by the law of the day."""
    unsure: int = 0
    """Months since the State began to help of which nobody here knows whether it did."""
    record: Said | None = None
    """What the insurance record says, where somebody has read it."""
    beside: Beside = NOTHING_BESIDE
    """What it adds to the months on record here."""

    @property
    def paid(self) -> int:
        """Months of voluntary insurance, here and elsewhere."""
        return self.calendar.paid + self.beside.voluntary

    @property
    def supported(self) -> int:
        """Those of them the State helped with, at least."""
        return self.calendar.supported + self.beside.supported

    @property
    def for_pension(self) -> int:
        """Months that count toward a pension: voluntary and compulsory ones."""
        return self.paid + self.beside.compulsory

    @property
    def support_ends(self) -> Month | None:
        """The last month the State helps with, of somebody who takes part and pays on; None where that is not known."""
        helped = [one.month for one in self.calendar.months if one.supported]
        if self.cap is None or not helped or self.calendar.deadline_on is None or self.calendar.paid_through is None:
            return None
        return support_ends(self.supported, helped[-1], self.calendar.paid_through, self.cap)

    @property
    def line(self) -> str:
        """«Paid through 9/2026 · 14 months, 9 of them supported (9/120)»; at least 9 where some months are unsure."""
        found, months = [], self.calendar
        if months.paid_through:
            found.append(_("Paid through %(month)s", month=filters.month(months.paid_through.first_day, chosen())))
        helped = f"{self.supported}/{self.cap}" if self.cap else f"{self.supported}"
        counted = {"num": self.paid, "supported": self.supported}
        if self.unsure:
            found.append(
                ngettext(
                    "%(num)s month, at least %(supported)s of them supported",
                    "%(num)s months, at least %(supported)s of them supported",
                    **counted,
                )
                + f" (≥\u00a0{helped})"
            )
            found.append(
                ngettext(
                    "for %(num)s month it is not known whether the State helped",
                    "for %(num)s months it is not known whether the State helped",
                    self.unsure,
                )
            )
        else:
            found.append(
                ngettext(
                    "%(num)s month, %(supported)s of them supported",
                    "%(num)s months, %(supported)s of them supported",
                    **counted,
                )
                + f" ({helped})"
            )
        if self.beside.voluntary:
            found.append(_("%(months)s of them paid elsewhere or before this register", months=self.beside.voluntary))
        if self.beside.compulsory:
            found.append(
                ngettext(
                    "and %(num)s month of compulsory insurance",
                    "and %(num)s months of compulsory insurance",
                    self.beside.compulsory,
                )
            )
        return " · ".join(found)


def told(session: Session, prospect: Prospect, all_law: Law, today: date, *, ahead: int = 6) -> Told:
    """The months of somebody as they stand on a day, with names for whoever bore them. Five questions."""
    spells = list(reversed(session.scalars(spells_of(prospect)).all()))
    rows, law = _rows(session, prospect), all_law.on(today)
    record = insurance_record(session, prospect)
    if not spells and not rows:
        more = beside(record, (), ())
        return Told(NOTHING, {}, {}, _cap(law), more.unsure, record, more)
    given = _given(session, prospect)
    borne: dict[Month, Borne] = {}
    in_vain: dict[Month, tuple[Borne, ...]] = {}
    for row, paid in rows:
        month, one = Month.of(row.month), _borne(row, paid, given.get((row.payment_id, row.month), ()))
        if row.counts:
            borne[month] = one
        else:
            in_vain[month] = (*in_vain.get(month, ()), one)
    late = late_months_from(law)
    gaps_back = Month.of(law.day).since(late) if late else None
    stays, helped = _stays(spells, rows), [month for month, one in borne.items() if one.supported]
    known = {*borne, *(month for stay in stays for month in vouched(stay))}
    more = beside(record, known, helped)
    calendar = months_of(
        *(stays, borne, law.day),
        in_vain=in_vain,
        ahead=ahead,
        gaps_back=gaps_back,
        anew_from=first_months(law.day, law, LONGEST_OPEN)[0],
        supported_before=more.supported,
    )
    payers = named(session, prospect.town_id, calendar.cost.others or ())
    said_through = record.through if record and record.supported is not None else None
    unsure = calendar.unsure_since(helping_since(all_law), said_through) + more.unsure if _cap(law) else 0
    return Told(calendar, {paid.id: paid for _row, paid in rows}, payers, _cap(law), unsure, record, more)


def helping_since(law: Law) -> Month:
    """The month from which on the State helps with months of voluntary insurance: none before was helped with."""
    return Month.of(law.timeline(LawKey.SUPPORT_CAP_MONTHS)[0].since)


def _cap(law: LawOnDay) -> int | None:
    return law.number(LawKey.SUPPORT_CAP_MONTHS) if law.says(LawKey.SUPPORT_CAP_MONTHS) else None


Rows = Sequence[tuple[ParticipantMonth, Payment]]
"""Paid months with their payment, in the order of time; those paid for in vain among them."""


def _rows(session: Session, prospect: Prospect) -> Rows:
    query = (
        select(ParticipantMonth, Payment)
        .join(Payment, and_(Payment.town_id == ParticipantMonth.town_id, Payment.id == ParticipantMonth.payment_id))
        .where(ParticipantMonth.town_id == prospect.town_id, ParticipantMonth.prospect_id == prospect.id)
        .order_by(ParticipantMonth.month, Payment.recorded_at, Payment.id)
    )
    return [(month, paid) for month, paid in session.execute(query)]


def _given(session: Session, prospect: Prospect) -> dict[tuple[Any, date], tuple[Share, ...]]:
    query = (
        select(MonthPayer)
        .join(Payment, and_(Payment.town_id == MonthPayer.town_id, Payment.id == MonthPayer.payment_id))
        .where(MonthPayer.town_id == prospect.town_id, Payment.prospect_id == prospect.id)
        .order_by(MonthPayer.month, MonthPayer.amount.desc(), MonthPayer.id)
    )
    found: dict[tuple[Any, date], tuple[Share, ...]] = {}
    for row in session.scalars(query):
        share = Share(Payer(row.kind, row.payer_id), row.amount)
        found[row.payment_id, row.month] = (*found.get((row.payment_id, row.month), ()), share)
    return found


def _borne(row: ParticipantMonth, paid: Payment, others: tuple[Share, ...]) -> Borne:
    return Borne(row.payment_id, row.supported, row.own, row.state_support, row.local_support, others, paid.missing)


def _stays(spells: Sequence[Participation], rows: Rows) -> list[Stay]:
    """The spells in the order of time; one that began with a payment vouches from the first month that was paid, and
    none for months paid for in vain."""
    first: dict[Any, Month] = {}
    in_vain: dict[Any, set[Month]] = {}
    for month, paid in rows:
        first.setdefault(paid.participation_id, Month.of(month.month))
        if not month.counts:
            in_vain.setdefault(paid.participation_id, set()).add(Month.of(month.month))
    found = []
    for spell in spells:
        start = Month.of(spell.started_on)
        if spell.started_as in FROM_A_LIST:
            start = min(start, first.get(spell.id, start))
        else:
            start = first.get(spell.id, start)
        through = Month.of(spell.paid_through) if spell.paid_through else None
        while through and through in in_vain.get(spell.id, ()):
            through -= 1
        found.append(
            Stay(start, through, spell.deadline_on, Ending(spell.ended_as) if spell.ended_as else None, spell.method)
        )
    return found


def shown_states(calendar: Calendar) -> list[State]:
    """The states that a picture of these months shows, in the order in which they are explained."""
    found = {one.state for one in calendar.months}
    return [state for state in State if state in found]


def in_figures(months: Sequence[OneMonth]) -> str:
    """«6/2019, 8/2019 – 10/2019»: every one of these months in the order of time, those that follow each other as a run."""
    runs: list[list[Month]] = []
    for one in months:
        if runs and one.month == runs[-1][-1] + 1:
            runs[-1][1:] = [one.month]
        else:
            runs.append([one.month])
    return ", ".join(" – ".join(filters.month(month.first_day, chosen()) for month in run) for run in runs)


def bore(told: Told) -> list[tuple[Any, str]]:
    """What was paid so far by each who bore it, as the lines of a reckoning."""
    cost = told.calendar.cost
    lines: list[tuple[Any, int]] = [(_("The person"), cost.own), (_("The State"), cost.state)]
    lines += [(_("The place"), cost.local)] if cost.local else []
    lines += [(told.payers[payer], amount) for payer, amount in (cost.others or {}).items()]
    return [(label, filters.vnd(amount, chosen())) for label, amount in lines]
