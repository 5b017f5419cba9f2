"""Whether somebody on record may pay at once for missing months."""

from __future__ import annotations

from datetime import date

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_ngettext
from sqlalchemy.orm import Session

from crm.errors import RuleBroken
from crm.participation import months
from crm.participation.months import Told
from crm.premiums.rules.benefits.retirement import Birth, retirement
from crm.premiums.rules.law import Law
from crm.premiums.rules.missing import Missing, missing_for_pension
from crm.prospects.models import Prospect


def missing_of(session: Session, person: Prospect, law: Law, day: date, counted: Told | None = None) -> Missing:
    """What is missing on a day, by the record. Raises RuleBroken for what has to be written down first: sex, birth, and
    what the insurance record says, for without it nobody knows what is missing. `counted` is read when it is not handed in.
    """
    birth = Birth.known(person.birth_date, person.birth_year)
    if birth is None or person.sex is None:
        message = _l("Write down the birth and whether it is a man or a woman: the age of retirement depends on them.")
        raise RuleBroken(message, code="age_unknown")
    counted = counted or months.told(session, person, law, day)
    if counted.record is None:
        message = _l("Read the insurance record first: without it nobody knows how many months are missing.")
        raise RuleBroken(message, code="record_unread")
    return missing_for_pension(law.on(day), retirement(law, person.sex, birth), counted.for_pension)


def refuse_others(session: Session, person: Prospect, law: Law, day: date, paying: int) -> None:
    """Refuses whoever may not pay for missing months on a day, and another number of months than are missing."""
    told = missing_of(session, person, law, day)
    if told.refusal:
        raise told.refusal
    if paying != told.months:
        message = lazy_ngettext(
            "%(num)s month is missing: it is paid for at once.",
            "%(num)s months are missing: they are paid for all at once.",
            told.months,
        )
        raise RuleBroken(message, field="months", code="missing_differs")
