"""The life of a dossier, what kind of movement it declares, the row it becomes, and what has to be right before it goes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Any

from flask_babel import lazy_gettext as _l

from crm.citizen_ids import CitizenId, CitizenIdProblem, read_citizen_id
from crm.money import Vnd
from crm.months import Month
from crm.participation.rules import Ending
from crm.participation.screening.rules import Kind, Verdict
from crm.premiums.rules.keys import LawKey, Method
from crm.premiums.rules.law import LawOnDay
from crm.premiums.rules.quotes import Plan, Quote
from crm.prospects.rules import Ground, Sex

REPEATED_WITHIN = timedelta(days=7)
"""Within so many days the same number is not declared twice, as the collection agents check it."""


class State(StrEnum):
    DRAFT = "draft"
    READY = "ready"
    HANDED_OVER = "handed_over"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"


class Movement(StrEnum):
    """Codes (phương án) of form D05-TS."""

    NEW = "TM"
    PAYS_ON = "DT"
    LATE = "DB"
    RETURNS = "DL"
    STOPS = "GH"


class Act(StrEnum):
    """What may be done with a dossier."""

    CHANGE = "change"
    CHECK = "check"
    HAND_OVER = "hand_over"
    GATHER = "gather"
    SUBMIT = "submit"
    ACCEPT = "accept"
    SEND_BACK = "send_back"
    WITHDRAW = "withdraw"


class Outcome(StrEnum):
    """What became of a row of a list that was handed in."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    RETURNED = "returned"


WITH_THE_VOLUNTEER = (State.DRAFT, State.READY, State.RETURNED)
CLOSED = (State.ACCEPTED, State.WITHDRAWN)
FROM: Mapping[Act, Collection[State]] = {
    Act.CHANGE: WITH_THE_VOLUNTEER,
    Act.CHECK: (State.DRAFT, State.RETURNED),
    Act.HAND_OVER: (State.READY,),
    Act.GATHER: (State.HANDED_OVER,),
    Act.SUBMIT: (State.HANDED_OVER,),
    Act.ACCEPT: (State.SUBMITTED,),
    Act.SEND_BACK: (State.HANDED_OVER, State.SUBMITTED),
    Act.WITHDRAW: WITH_THE_VOLUNTEER,
}
"""From which states each act is possible."""


def movement_of(
    *,
    took_part: bool,
    paid_through: Month | None,
    ended_as: Ending | None,
    ended: bool,
    start: Month,
    this: Month,
    late_from: Month | None,
    missing: bool = False,
) -> Movement:
    """What a payment from `start` declares, by what the books say of the person.

    Nobody who never took part pays on; who is in a spell pays the month after the last one; who makes up the months
    that follow it after the spell lapsed pays late, where the insurance office lets months from `late_from` on be made
    up; whoever leaves a gap comes back.

    `missing`: all that is missing for a pension is paid at once. A collection agents' program offers that way to pay
    among those of «đóng bù»; no text of the insurance office on it was seen.
    """
    if not took_part:
        return Movement.NEW
    if missing:
        return Movement.LATE
    if not ended:
        return Movement.PAYS_ON
    follows = paid_through is not None and start == paid_through + 1
    if ended_as is Ending.LAPSED and follows and late_from and late_from <= start < this:
        return Movement.LATE
    return Movement.RETURNS


# ---- the row of form D05-TS

METHOD_CODES: Mapping[Method, str] = {method: method.value for method in Method}


@dataclass(frozen=True)
class Row:
    """A row of D05-TS under the official names of its columns; money is whole đồng."""

    HoTen: str
    MasoBHXH: str
    PA: str
    MucTien: Vnd
    Tuthang: str
    Sothang: int
    Phuongthuc: str
    Heso: int
    Tyle: str
    Tongtien: Vnd
    TyleNSNN: str
    TienHotro: Vnd
    TyleNSDP: str
    TienNSDP: Vnd
    TyleHotroKhac: str
    TienHotroKhac: Vnd
    TienTudong: Vnd
    Ghichu: str
    CCNS: str = ""
    """1 where only the year of birth is known."""
    Loai: str = ""
    Matinh: str = ""
    Mahuyen: str = ""
    Maxa: str = ""
    Diachi_DangSS: str = ""
    """Where they live now; the office's program fills in the codes of province and district that are not on record."""

    def __post_init__(self) -> None:
        if self.TienTudong + self.TienHotro + self.TienNSDP + self.TienHotroKhac != self.Tongtien:
            raise ValueError("the four layers do not make up the whole premium")

    def without_code(self) -> dict[str, Any]:
        """All of a row but the number that says who somebody is, which is kept sealed."""
        return {name: value for name, value in asdict(self).items() if name != CODE}

    def without_names(self) -> dict[str, Any]:
        """What is kept of a row once the papers are handed over: figures and codes, nothing that says who somebody is."""
        return {name: value for name, value in asdict(self).items() if name not in OF_THE_PERSON}


KINDS_OF_ROW: Mapping[Movement, str] = {
    Movement.NEW: "1",
    Movement.PAYS_ON: "2",
    Movement.LATE: "2",
    Movement.RETURNS: "2",
}
"""The column «Loai» as a collection agents' program fills it in: 1 whoever joins, 2 whoever pays otherwise. No text of the
insurance office on it was seen, and nothing at all on whoever stops: there it stays empty."""
OF_THE_PERSON = ("HoTen", "MasoBHXH", "Ghichu", "CCNS", "Loai", "Matinh", "Mahuyen", "Maxa", "Diachi_DangSS")
"""Columns that say who somebody is or where they live; taken from the record on the day the list is handed in."""
CODE = "MasoBHXH"


MONEY_COLUMNS = ("MucTien", "Tongtien", "TienHotro", "TienNSDP", "TienHotroKhac", "TienTudong")
SUMMED = ("Tongtien", "TienHotro", "TienNSDP", "TienHotroKhac", "TienTudong")
COLUMNS: Mapping[str, Any] = {
    "HoTen": _l("Full name"),
    "MasoBHXH": _l("Social insurance code"),
    "PA": _l("Movement code"),
    "MucTien": _l("Chosen income"),
    "Tuthang": _l("From month"),
    "Sothang": _l("Months"),
    "Phuongthuc": _l("Method"),
    "Heso": _l("Steps above the least"),
    "Tyle": _l("Rate, %%"),
    "Tongtien": _l("Premium in all"),
    "TyleNSNN": _l("State, %%"),
    "TienHotro": _l("The State pays"),
    "TyleNSDP": _l("Place, %%"),
    "TienNSDP": _l("The place's own budget pays"),
    "TyleHotroKhac": _l("Others, %%"),
    "TienHotroKhac": _l("Others pay"),
    "TienTudong": _l("The person pays"),
    "Ghichu": _l("Remarks"),
    "CCNS": _l("Only the year of birth is known"),
    "Loai": _l("Kind of row"),
    "Matinh": _l("Code of the province"),
    "Mahuyen": _l("Code of the district"),
    "Maxa": _l("Code of the commune"),
    "Diachi_DangSS": _l("Address where they live"),
}


def row_of_payment(told: Quote, law: LawOnDay, movement: Movement, *, name: str, code: str, remarks: str) -> Row:
    """The row of a payment: the same figures as the quote, the layers under their official names.

    The place's rate is that of the addition its money comes from; one given in đồng has none.
    """
    helped, added = told.state_support > 0, told.top_up.percent if told.top_up else None
    return Row(
        HoTen=name.upper(),
        MasoBHXH=code,
        PA=movement.value,
        MucTien=told.income,
        Tuthang=f"{told.start.number:02}/{told.start.year}",
        Sothang=told.plan.months,
        Phuongthuc=METHOD_CODES[told.plan.method],
        Heso=max(0, (told.income - law.floor) // law.step),
        Tyle=percent(law.rate),
        Tongtien=told.gross,
        TyleNSNN=percent(law.support[told.ground]) if helped else "",
        TienHotro=told.state_support,
        TyleNSDP=f"{float(added):g}" if told.local_support and added is not None else "",
        TienNSDP=told.local_support,
        TyleHotroKhac=percent(Fraction(told.other_support, told.gross)) if told.other_support else "",
        TienHotroKhac=told.other_support,
        TienTudong=told.payable,
        Ghichu=remarks,
    )


def row_of_stopping(*, name: str, code: str, month: Month, income: Vnd, method: str, remarks: str) -> Row:
    """The row of somebody who stops: from which month on, and no money."""
    return Row(
        HoTen=name.upper(),
        MasoBHXH=code,
        PA=Movement.STOPS.value,
        MucTien=income,
        Tuthang=f"{month.number:02}/{month.year}",
        Sothang=0,
        Phuongthuc=method,
        Heso=0,
        Tyle="",
        Tongtien=0,
        TyleNSNN="",
        TienHotro=0,
        TyleNSDP="",
        TienNSDP=0,
        TyleHotroKhac="",
        TienHotroKhac=0,
        TienTudong=0,
        Ghichu=remarks,
    )


def number_is_code(law: LawOnDay) -> bool:
    """Whether by the law of a day the citizen number stands where the insurance code stood."""
    return law.says(LawKey.CITIZEN_NUMBER_IS_CODE) and law.number(LawKey.CITIZEN_NUMBER_IS_CODE) > 0


def code_of(insurance_number: str | None, citizen_id: str | None, law: LawOnDay) -> str:
    """Somebody's insurance code on a day: the ten digits, else, once it replaces them, the twelve of the citizen number;
    empty while there is none. An old card of nine digits never was a code."""
    if insurance_number or not number_is_code(law) or len(citizen_id or "") != max(CODE_LENGTHS):
        return insurance_number or ""
    return citizen_id or ""


CODE_LENGTHS = (10, 12)
"""Digits of an insurance code: the old book, and the citizen number that replaces it."""


def percent(share: Fraction) -> str:
    """A share as whole or two-digit percent, as the form has it: 22, 12.5."""
    return f"{float(round(share * 100, 2)):g}"


# ---- before it goes


@dataclass(frozen=True)
class Problem:
    """Something missing or odd; a firm one holds the dossier back. `mend` names the place where it is put right, if it can be."""

    code: str
    firm: bool
    mend: str
    words: Any


@dataclass(frozen=True)
class Known:
    """What the checks look at."""

    verdict: Verdict
    screened: bool
    birth_date: date | None
    birth_year: int | None
    sex: Sex | None
    citizen_id: str | None
    phone: str | None
    address: str | None
    stops: bool
    refusal: Any = None
    """Why the figures cannot be worked out: income, months, or law."""
    months_paid: bool = False
    too_late: bool = False
    number_elsewhere: bool = False
    declared_lately: bool = False
    ground: Ground = Ground.OTHER
    certified: bool = True
    sponsored_otherwise: bool = False
    late: bool = False
    missing: bool = False


def problems(known: Known) -> list[Problem]:
    """Everything that is missing or odd, what holds it back first."""
    found = [*_of_the_person(known), *_of_the_number(known)]
    if known.stops:
        found.append(_problem("stop_kind_open"))
    else:
        found += [*_of_the_law(known), *_of_the_money(known)]
    return sorted(found, key=lambda one: not one.firm)


def _of_the_law(known: Known) -> Iterator[Problem]:
    if not known.screened:
        yield _problem("not_screened")
    elif known.verdict.kind is not Kind.VOLUNTARY:
        yield _problem("may_not_join")


def _of_the_person(known: Known) -> Iterator[Problem]:
    if known.birth_year is None:
        yield _problem("no_birth")
    elif known.birth_date is None:
        yield _problem("no_birth_day")
    if known.sex is None:
        yield _problem("no_sex")
    if not known.phone:
        yield _problem("no_phone")
    if not known.address:
        yield _problem("no_address")


def _of_the_number(known: Known) -> Iterator[Problem]:
    read = read_citizen_id(known.citizen_id, known.sex.value if known.sex else None, known.birth_year)
    if read is None:
        yield _problem("no_citizen_id")
    elif isinstance(read, CitizenIdProblem):
        yield _problem("citizen_id_contradicts")
    elif isinstance(read, CitizenId) and read.kind == "cmnd":
        yield _problem("old_citizen_id")
    if known.number_elsewhere:
        yield _problem("number_elsewhere")
    if known.declared_lately:
        yield _problem("declared_lately")


def _of_the_money(known: Known) -> Iterator[Problem]:
    if known.refusal:
        yield Problem("refused", True, "dossier", known.refusal)
    if known.months_paid:
        yield _problem("months_paid")
    if known.too_late:
        yield _problem("window_over")
    if known.missing:
        yield _problem("missing_not_read")
    elif known.late:
        yield _problem("late_not_read")
    if known.ground is not Ground.OTHER and not known.certified:
        yield _problem("no_certificate")
    if known.sponsored_otherwise:
        yield _problem("sponsored_otherwise")


def _problem(code: str) -> Problem:
    firm, mend, words = PROBLEMS[code]
    return Problem(code, firm, mend, words)


PROBLEMS: Mapping[str, tuple[bool, str, Any]] = {
    "not_screened": (True, "screening", _l("Nobody has asked yet whether they may join.")),
    "may_not_join": (
        True,
        "screening",
        _l("By their answers they may not join voluntary insurance, or something is unclear."),
    ),
    "no_birth": (True, "person", _l("The day of birth is missing.")),
    "no_birth_day": (False, "person", _l("Only the year of birth is known: the office then takes 1 January.")),
    "no_sex": (True, "person", _l("Man or woman is not written down.")),
    "no_phone": (False, "person", _l("There is no phone number: the office cannot reach them.")),
    "no_address": (True, "person", _l("The address is missing.")),
    "no_citizen_id": (True, "person", _l("The citizen number is missing.")),
    "citizen_id_contradicts": (
        True,
        "person",
        _l("The citizen number does not fit the sex or year of birth. Compare it with the card."),
    ),
    "old_citizen_id": (False, "person", _l("This is an old 9-digit number. Ask for the 12-digit card.")),
    "number_elsewhere": (True, "person", _l("Another person on record has the same citizen number.")),
    "declared_lately": (
        True,
        "dossier",
        _l("The same number was declared within the last 7 days. Wait for that answer."),
    ),
    "months_paid": (True, "dossier", _l("Some of these months are paid already. Begin with a later month.")),
    "window_over": (
        True,
        "dossier",
        _l("The time to pay from that month is over, or it lies too far ahead. Choose another first month."),
    ),
    "late_not_read": (
        False,
        "dossier",
        _l(
            "Whether the State helps with months made up late, and whether interest is due, has not been read: compare "
            "the figures with the insurance office."
        ),
    ),
    "missing_not_read": (
        False,
        "",
        _l(
            "Which movement code the insurance office wants for missing months, and whether the State helps with them, has "
            "not been read in a text: compare the row with the office."
        ),
    ),
    "stop_kind_open": (
        False,
        "",
        _l("The column «Loại» stays empty for whoever stops: ask the insurance office what belongs there."),
    ),
    "no_certificate": (
        True,
        "standing",
        _l("The State's support needs its paper: the certificate's number is not written down."),
    ),
    "sponsored_otherwise": (
        False,
        "dossier",
        _l("A sponsor has set money aside for other months than these. Choose the same months, and the least income."),
    ),
}
STATES: Mapping[State, Any] = {
    State.DRAFT: _l("Being prepared"),
    State.READY: _l("Complete"),
    State.HANDED_OVER: _l("Handed to an agent"),
    State.SUBMITTED: _l("With the insurance office"),
    State.RETURNED: _l("Returned: to be mended"),
    State.ACCEPTED: _l("Accepted"),
    State.WITHDRAWN: _l("Withdrawn"),
}
STATE_SIGNS: Mapping[State, tuple[str, str]] = {
    State.DRAFT: ("quiet", "record"),
    State.READY: ("jade", "check"),
    State.HANDED_OVER: ("jade", "agreed"),
    State.SUBMITTED: ("due", "office"),
    State.RETURNED: ("late", "undo"),
    State.ACCEPTED: ("leaf", "done"),
    State.WITHDRAWN: ("quiet", "close"),
}
MOVEMENTS: Mapping[Movement, Any] = {
    Movement.NEW: _l("Joins for the first time"),
    Movement.PAYS_ON: _l("Pays on"),
    Movement.LATE: _l("Makes up late months"),
    Movement.RETURNS: _l("Pays again"),
    Movement.STOPS: _l("Stops paying"),
}
OUTCOMES: Mapping[Outcome, Any] = {
    Outcome.WAITING: STATES[State.SUBMITTED],
    Outcome.ACCEPTED: STATES[State.ACCEPTED],
    Outcome.RETURNED: _l("Sent back"),
}
OUTCOME_SIGNS: Mapping[Outcome, tuple[str, str]] = {
    Outcome.WAITING: STATE_SIGNS[State.SUBMITTED],
    Outcome.ACCEPTED: STATE_SIGNS[State.ACCEPTED],
    Outcome.RETURNED: STATE_SIGNS[State.RETURNED],
}
MOVED_ON = _l("Somebody has moved this dossier on meanwhile. Look at where it stands now.")
TOO_EARLY: Mapping[Act, tuple[Collection[State], str, Any]] = {
    Act.HAND_OVER: (
        (State.DRAFT, State.RETURNED),
        "not_checked",
        _l("Nobody has said that these papers are complete. Say so first, then hand them over."),
    ),
    Act.ACCEPT: (
        (State.DRAFT, State.READY, State.HANDED_OVER),
        "not_submitted",
        _l(
            "These papers stand in no list that went to the insurance office. Put them into a list and note the day on "
            "which it was handed in first."
        ),
    ),
}
"""Acts for which a step is missing that nobody has taken yet: from which states, under which code, and what is to be done."""


AT_ONCE = _l("Pays at once for missing months")


def movement_words(movement: Movement, missing: bool) -> Any:
    """What papers declare, in words."""
    return AT_ONCE if missing else MOVEMENTS[movement]


def plan_of(months: int, missing: bool) -> Plan:
    """The way to pay behind what is kept with a dossier: a period, years ahead, or all that is missing for a pension."""
    if missing:
        return Plan.missing(months)
    return Plan.ahead(months)
