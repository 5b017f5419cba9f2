"""Who may take part on a day, by the law of that day and what is known of somebody. Law 58/2014 and 41/2024, article 2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_ngettext as _ln

from crm.participation.rules import old_enough
from crm.premiums.rules.keys import LawKey
from crm.premiums.rules.law import Law, LawOnDay, LawValue


class Work(StrEnum):
    """What somebody does; of several the first that is true decides."""

    CONTRACT = "contract"
    WARD_CADRE = "ward_cadre"
    HAMLET_CADRE = "hamlet_cadre"
    MANAGER = "manager"
    SUSPENDED = "suspended"
    NONE = "none"


class Business(StrEnum):
    """A household business, and how it pays tax."""

    NONE = "none"
    UNREGISTERED = "unregistered"
    DECLARATION = "declaration"
    LUMP_SUM = "lump_sum"
    UNKNOWN = "unknown"


class Allowance(StrEnum):
    """What somebody draws every month."""

    NONE = "none"
    PENSION = "pension"
    OTHER = "other"


class Elsewhere(StrEnum):
    """Whether somebody pays social insurance already, not on record here."""

    NO = "no"
    VOLUNTARY = "voluntary"
    COMPULSORY = "compulsory"


class Kind(StrEnum):
    """What follows; of several the strongest, which stands first."""

    COMPULSORY = "compulsory"
    EXCLUDED = "excluded"
    NOT_YET = "not_yet"
    ASK = "ask"
    VOLUNTARY = "voluntary"


STRENGTH = {kind: place for place, kind in enumerate(Kind)}
BARRED = (Kind.COMPULSORY, Kind.EXCLUDED)
"""Whoever is so is not enrolled, unless somebody who answers for the money says why."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What is known of somebody; None where nobody has asked yet."""

    birth_date: date | None = None
    birth_year: int | None = None
    citizen: bool | None = None
    work: Work | None = None
    business: Business | None = None
    allowance: Allowance | None = None
    elsewhere: Elsewhere | None = None
    cleared: bool = False
    """The insurance office has answered since that compulsory insurance does not apply."""


@dataclass(frozen=True, slots=True)
class Why:
    """One reason: what it says, what would follow from it alone, and the row of the law it rests on."""

    kind: Kind
    code: str
    row: LawValue | None = None

    @property
    def words(self) -> Any:
        """The reason as a sentence, with the number of its row where it turns on one."""
        if self.code == "contract" and self.row:
            return _ln(
                "Whoever works under a contract of %(num)s month or more, and every official, joins compulsory insurance.",
                "Whoever works under a contract of %(num)s months or more, and every official, joins compulsory insurance.",
                int(self.row.value),
            )
        return SENTENCES[self.code]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the law of a day says of somebody, the deciding reasons first."""

    kind: Kind
    why: tuple[Why, ...]
    day: date
    law: str
    """The law that applies on that day, by its document."""

    @property
    def barred(self) -> bool:
        return self.kind in BARRED

    @property
    def deciding(self) -> tuple[Why, ...]:
        """The reasons that lead to what follows."""
        return tuple(one for one in self.why if one.kind is self.kind)

    @property
    def refusal(self) -> str:
        """What follows and why, for whoever is turned away."""
        return f"{KINDS[self.kind]}. {' '.join(str(one.words) for one in self.deciding)}"

    @property
    def since(self) -> date | None:
        """Since when the law says so."""
        return next((one.row.since for one in self.deciding if one.row), None)


def who_may_join(law: Law, day: date, answers: Answers) -> Verdict:
    """Whether somebody may join voluntary insurance on a day, and why. Of what is not known yet it says what to ask,
    unless they are kept out whatever the answer."""
    today = law.on(day)
    said = list(_reasons(law, today, answers))
    if answers.cleared:
        said = [one for one in said if one.kind is not Kind.COMPULSORY] + [Why(Kind.VOLUNTARY, "office_cleared")]
    found = sorted(said, key=lambda one: STRENGTH[one.kind])
    rests_on = _holds(today, LawKey.LEAST_AGE)  # it stands where the law says who may join voluntarily
    kind = found[0].kind if found else Kind.VOLUNTARY
    if kind in BARRED:
        found = [one for one in found if one.kind is not Kind.ASK]
    if kind is Kind.VOLUNTARY:
        found.insert(0, Why(Kind.VOLUNTARY, "may_join", rests_on))
    return Verdict(kind, tuple(found), day, rests_on.document if rests_on else "")


def _reasons(law: Law, today: LawOnDay, answers: Answers) -> Iterator[Why]:
    yield from _person(today, answers)
    yield from _work(law, today, answers.work)
    yield from _business(law, today, answers.business)
    yield from _allowance(today, answers.allowance)
    yield from _elsewhere(answers.elsewhere)


def _person(today: LawOnDay, answers: Answers) -> Iterator[Why]:
    if answers.citizen is False:
        yield Why(Kind.EXCLUDED, "not_a_citizen")
    elif answers.citizen is None:
        yield Why(Kind.ASK, "ask_citizen")
    if answers.birth_date is None and answers.birth_year is None:
        yield Why(Kind.ASK, "ask_birth")
    elif not old_enough(answers.birth_date, answers.birth_year, today.day, today.number(LawKey.LEAST_AGE)):
        yield Why(Kind.NOT_YET, "too_young", today.row(LawKey.LEAST_AGE))


_WORK: Mapping[Work, tuple[LawKey, str]] = {
    Work.CONTRACT: (LawKey.CONTRACT_COMPULSORY_MONTHS, "contract"),
    Work.WARD_CADRE: (LawKey.WARD_CADRES_COMPULSORY, "ward_cadre"),
    Work.HAMLET_CADRE: (LawKey.HAMLET_CADRES_COMPULSORY, "hamlet_cadre"),
    Work.MANAGER: (LawKey.UNPAID_MANAGERS_COMPULSORY, "manager"),
}
_BUSINESS: Mapping[Business, tuple[LawKey, str]] = {
    Business.DECLARATION: (LawKey.OWNERS_DECLARING_COMPULSORY, "owner_declaring"),
    Business.LUMP_SUM: (LawKey.OWNERS_LUMP_SUM_COMPULSORY, "owner_lump_sum"),
}


def _work(law: Law, today: LawOnDay, work: Work | None) -> Iterator[Why]:
    if work is None:
        yield Why(Kind.ASK, "ask_work")
    elif work is Work.SUSPENDED:
        row = _holds(today, LawKey.SUSPENDED_CONTRACT_VOLUNTARY)
        yield Why(Kind.VOLUNTARY, "suspended", row) if row else Why(Kind.ASK, "suspended_unclear")
    elif work in _WORK:
        yield from _obliged(law, today, *_WORK[work])


def _business(law: Law, today: LawOnDay, business: Business | None) -> Iterator[Why]:
    if business is None:
        yield Why(Kind.ASK, "ask_business")
    elif business is Business.UNKNOWN:
        obliging = [row for key, _code in _BUSINESS.values() if (row := _holds(today, key))]
        yield Why(Kind.ASK, "ask_tax", obliging[0]) if obliging else Why(Kind.VOLUNTARY, "owner_not_yet")
    elif business in _BUSINESS:
        yield from _obliged(law, today, *_BUSINESS[business])


def _allowance(today: LawOnDay, allowance: Allowance | None) -> Iterator[Why]:
    if allowance is None:
        yield Why(Kind.ASK, "ask_allowance")
        return
    if allowance is Allowance.NONE:
        return
    row = _holds(today, LawKey.PENSIONERS_EXCLUDED)
    if row is None:
        yield Why(Kind.VOLUNTARY, "pension_not_named")
    elif allowance is Allowance.PENSION:
        yield Why(Kind.EXCLUDED, "pension", row)
    else:
        yield Why(Kind.ASK, "other_allowance", row)


def _elsewhere(elsewhere: Elsewhere | None) -> Iterator[Why]:
    if elsewhere is None:
        yield Why(Kind.ASK, "ask_elsewhere")
    elif elsewhere is Elsewhere.VOLUNTARY:
        yield Why(Kind.ASK, "takes_part_elsewhere")
    elif elsewhere is Elsewhere.COMPULSORY:
        yield Why(Kind.COMPULSORY, "in_compulsory")


def _obliged(law: Law, today: LawOnDay, key: LawKey, code: str) -> Iterator[Why]:
    """Compulsory where the law of the day says so; where a later law does, a word ahead."""
    if row := _holds(today, key):
        yield Why(Kind.COMPULSORY, code, row)
    elif ahead := _ahead(law, key, today.day):
        yield Why(Kind.VOLUNTARY, f"{code}_later", ahead)


def _holds(today: LawOnDay, key: LawKey) -> LawValue | None:
    row = today.row(key) if today.says(key) else None
    return row if row and row.value else None


def _ahead(law: Law, key: LawKey, day: date) -> LawValue | None:
    coming = [row for row in law.values if row.key is key and row.since > day and row.value]
    return min(coming, key=lambda row: row.since, default=None)


SENTENCES: Mapping[str, Any] = {
    "may_join": _l("A Vietnamese citizen of age to whom compulsory insurance does not apply may join."),
    "not_a_citizen": _l("Voluntary insurance is for Vietnamese citizens."),
    "ask_citizen": _l("Ask whether they are a Vietnamese citizen; a citizen number shows it."),
    "ask_birth": _l("The year of birth is not known. Write it down: the law names a least age."),
    "too_young": _l("They have not reached the least age for joining yet."),
    "ask_work": _l("Ask what work they do."),
    "contract": _l(
        "Whoever works under a contract as long as the law names, and every official, joins compulsory insurance."
    ),
    "ward_cadre": _l("Part-time staff of a ward or commune join compulsory insurance."),
    "hamlet_cadre": _l("Part-time staff of a neighbourhood join compulsory insurance."),
    "hamlet_cadre_later": _l("Part-time staff of a neighbourhood go over to compulsory insurance by a later law."),
    "manager": _l("Managers of a firm or cooperative join compulsory insurance even without pay."),
    "manager_later": _l("Unpaid managers of firms and cooperatives go over to compulsory insurance by a later law."),
    "contract_later": _l("A contract makes one join compulsory insurance by a later law."),
    "ward_cadre_later": _l("Part-time staff of a ward or commune go over to compulsory insurance by a later law."),
    "suspended": _l("Whoever has suspended a labour contract may join, unless the employer agreed to go on paying."),
    "suspended_unclear": _l(
        "The law of that day does not name suspended contracts. Ask the insurance office before enrolling."
    ),
    "ask_business": _l("Ask whether they own a registered household business."),
    "ask_tax": _l("Ask how the household business pays its tax: owners who declare join compulsory insurance."),
    "owner_not_yet": _l("Owners of household businesses may join under the law of that day."),
    "owner_declaring": _l("Owners of a registered household business who declare tax join compulsory insurance."),
    "owner_declaring_later": _l("Owners who declare tax go over to compulsory insurance by a later law."),
    "owner_lump_sum": _l("Owners of a registered household business join compulsory insurance."),
    "owner_lump_sum_later": _l("Owners who pay tax this way go over to compulsory insurance later."),
    "ask_allowance": _l("Ask whether they draw a pension or a monthly allowance."),
    "pension": _l("Whoever draws a pension or an allowance of social insurance may not join."),
    "other_allowance": _l(
        "They draw another monthly allowance. Ask the insurance office which it is before enrolling."
    ),
    "pension_not_named": _l(
        "The law of that day excludes nobody for a pension or allowance. Have the insurance office confirm it."
    ),
    "ask_elsewhere": _l("Ask whether they pay social insurance already."),
    "takes_part_elsewhere": _l("They pay voluntary insurance elsewhere: record that they moved here, not a new start."),
    "office_cleared": _l("The insurance office has answered that compulsory insurance does not apply."),
    "in_compulsory": _l("They pay compulsory insurance already."),
}
SAID_TO_ANYBODY: Mapping[str, Any] = {
    "too_young": _l("You have not reached the least age for joining yet."),
    "other_allowance": _l("You draw another monthly allowance. Ask the insurance office which it is before you join."),
    "takes_part_elsewhere": _l(
        "You pay voluntary insurance elsewhere: say that you moved here, not that you join anew."
    ),
    "in_compulsory": _l("You pay compulsory insurance already."),
}
"""The same to whoever asks for themselves, where SENTENCES speak of somebody."""
KINDS: Mapping[Kind, Any] = {
    Kind.VOLUNTARY: _l("May join voluntary insurance"),
    Kind.COMPULSORY: _l("Belongs in compulsory insurance"),
    Kind.NOT_YET: _l("Not yet of age to join"),
    Kind.EXCLUDED: _l("May not join voluntary insurance"),
    Kind.ASK: _l("Something is still to be asked"),
}
NEXT: Mapping[Kind, Any] = {
    Kind.VOLUNTARY: _l("Talk about what they would pay, and prepare their papers."),
    Kind.COMPULSORY: _l(
        "They stand on the insurance office's referral list now. Do not prepare papers for voluntary insurance."
    ),
    Kind.NOT_YET: _l("Come back when they are old enough."),
    Kind.EXCLUDED: _l("Thank them. There is nothing to prepare."),
    Kind.ASK: _l("Ask what is named below, then answer again."),
}
NEXT_FOR_ANYBODY: Mapping[Kind, Any] = {
    Kind.VOLUNTARY: _l(
        "See what you would pay, then speak to the volunteer of your neighbourhood or a collection agent."
    ),
    Kind.COMPULSORY: _l(
        "Ask your employer or the insurance office to enrol you there: it also covers sickness and maternity."
    ),
    Kind.NOT_YET: _l("Come back when you are old enough."),
    Kind.EXCLUDED: _l("You need not do anything."),
    Kind.ASK: _l("Ask the insurance office or the volunteer of your neighbourhood about what is named below."),
}
SIGNS: Mapping[Kind, tuple[str, str]] = {
    Kind.VOLUNTARY: ("done", "success"),
    Kind.COMPULSORY: ("office", "warning"),
    Kind.NOT_YET: ("clock", "message"),
    Kind.EXCLUDED: ("refused", "warning"),
    Kind.ASK: ("info", "message"),
}
WORK: Mapping[Work, Any] = {
    Work.CONTRACT: _l("Works under a labour contract, or is an official, soldier or police officer"),
    Work.WARD_CADRE: _l("Part-time staff of the ward or commune"),
    Work.HAMLET_CADRE: _l("Part-time staff of a neighbourhood (head, Front, Party cell)"),
    Work.MANAGER: _l("Manages a firm or cooperative without pay"),
    Work.SUSPENDED: _l("Has a labour contract that is suspended"),
    Work.NONE: _l("None of these: farms, trades, odd jobs, at home"),
}


def work_on(today: LawOnDay) -> Mapping[Work, Any]:
    """The answers to what somebody does, the contract as long as the law of the day says."""
    row = _holds(today, LawKey.CONTRACT_COMPULSORY_MONTHS)
    if row is None:
        return WORK
    contract = _ln(
        "Works under a contract of %(num)s month or more, or is an official, soldier or police officer",
        "Works under a contract of %(num)s months or more, or is an official, soldier or police officer",
        int(row.value),
    )
    return {**WORK, Work.CONTRACT: contract}


BUSINESS: Mapping[Business, Any] = {
    Business.NONE: _l("No"),
    Business.UNREGISTERED: _l("Small trade, not registered"),
    Business.DECLARATION: _l("Registered, declares its tax"),
    Business.LUMP_SUM: _l("Registered, pays a fixed tax"),
    Business.UNKNOWN: _l("Registered, does not know how it is taxed"),
}
ALLOWANCE: Mapping[Allowance, Any] = {
    Allowance.NONE: _l("No"),
    Allowance.PENSION: _l("A pension or an allowance of social insurance"),
    Allowance.OTHER: _l("Another monthly allowance"),
}
ELSEWHERE: Mapping[Elsewhere, Any] = {
    Elsewhere.NO: _l("No"),
    Elsewhere.VOLUNTARY: _l("Yes, voluntary insurance elsewhere"),
    Elsewhere.COMPULSORY: _l("Yes, compulsory insurance where they work"),
}
ELSEWHERE_OF_ANYBODY = {**ELSEWHERE, Elsewhere.COMPULSORY: _l("Yes, compulsory insurance where you work")}
