"""What a row of a list proposes, which ward it means, whom it may be, and how both are told. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from flask_babel import lazy_gettext as _l

from crm.citizen_ids import mask
from crm.names import fold, spelling_key
from crm.phones import read_phone
from crm.prospects.identity.rules import CLUE_SENTENCES, Clue, Comparison, Verdict, same_house_no_more
from crm.prospects.reading.columns import Field
from crm.prospects.reading.outcomes import (
    NOTHING_MORE,
    Cell,
    Person,
    Reason,
    Refusal,
    Rejected,
    SameBecause,
    Unreadable,
    because,
)
from crm.prospects.rules import (
    SAME_SENTENCES,
    Ground,
    ImportState,
    Purpose,
    RowOutcome,
    Same,
    Sex,
)

LARGEST = 25 * 1024 * 1024
"""Bytes of a file that is taken in."""
CHUNK = 4000
"""Rows that are read in one transaction, or looked at together in the one that loads or takes back."""
BATCH = 20_000
"""People that one statement adds while a list is loaded; its heart beats between two."""
MOST_TRIES = 3
"""How often work that is interrupted is begun again before a person is asked."""
STALE = timedelta(seconds=60)
"""Work whose heart has not beaten for so long is taken up by somebody else."""
QUIET = timedelta(seconds=20)
"""Work whose heart has not beaten for so long has most likely ended with its worker: whoever waits is told."""
AT_WORK = (ImportState.QUEUED, ImportState.READING, ImportState.COMMITTING, ImportState.UNDOING)

STATE_NAMES = {
    ImportState.QUEUED: _l("Waiting to be read"),
    ImportState.READING: _l("Being read"),
    ImportState.READY: _l("Ready to look at"),
    ImportState.COMMITTING: _l("Being loaded"),
    ImportState.COMMITTED: _l("Loaded"),
    ImportState.UNDOING: _l("Being taken back"),
    ImportState.UNDONE: _l("Taken back"),
    ImportState.FAILED: _l("Could not be read"),
}


class Problem(StrEnum):
    """Why a list as a whole cannot be used, besides what the reader itself refuses."""

    PLACE_NEEDED = "place_needed"
    WARD_UNKNOWN = "ward_unknown"
    NOBODY = "nobody"
    READING_INTERRUPTED = "reading_interrupted"
    READING_STOPPED = "reading_stopped"
    LOADING_INTERRUPTED = "loading_interrupted"
    LOADING_STOPPED = "loading_stopped"
    UNDOING_INTERRUPTED = "undoing_interrupted"
    UNDOING_STOPPED = "undoing_stopped"


PROBLEMS = {
    Problem.PLACE_NEEDED: _l("The list does not say in which ward the people live. Choose the ward and read it again."),
    Problem.WARD_UNKNOWN: _l(
        "The wards that the list names are none of this town. Choose the ward and read it again, or correct the list."
    ),
    Problem.NOBODY: _l("The list has headings but nobody below them. Choose the file that holds the people."),
    Problem.READING_INTERRUPTED: _l("Reading was interrupted. The list is being read again from its beginning."),
    Problem.READING_STOPPED: _l("Reading was interrupted several times. Read it again, or hand the file in once more."),
    Problem.LOADING_INTERRUPTED: _l("Loading was interrupted; nothing was loaded. It has been started again."),
    Problem.LOADING_STOPPED: _l("Loading was interrupted several times; nothing was loaded. Load the list again."),
    Problem.UNDOING_INTERRUPTED: _l("Taking back was interrupted; nothing was taken back. It has been started again."),
    Problem.UNDOING_STOPPED: _l(
        "Taking back was interrupted several times; the list is loaded as before. Take it back again."
    ),
}


class WardReason(StrEnum):
    """Why a row cannot be put into a ward."""

    NO_WARD = "no_ward"
    UNKNOWN_WARD = "unknown_ward"
    WARD_NOT_YOURS = "ward_not_yours"


_WARD_SENTENCES = {
    WardReason.NO_WARD: _l(
        "Sheet “%(sheet)s”, row %(row)s: no ward is named. Write it in a column “Phường”, or choose the ward of the list."
    ),
    WardReason.UNKNOWN_WARD: _l(
        "Sheet “%(sheet)s”, row %(row)s: “%(value)s” is no ward of this town. Correct it, or choose the ward of the list."
    ),
    WardReason.WARD_NOT_YOURS: _l(
        "Sheet “%(sheet)s”, row %(row)s: “%(value)s” is not yours to look after. Load only people of your own place."
    ),
}

KEPT_ELSEWHERE = "kept_elsewhere"

FIELD_NAMES = {
    "full_name": _l("Full name"),
    "sex": _l("Sex"),
    "birth_year": _l("Year of birth"),
    "birth_date": _l("Day of birth"),
    "phone": _l("Mobile"),
    "other_phone": _l("Other telephone"),
    "citizen_id": _l("Citizen number"),
    "si_number": _l("Insurance number"),
    "address": _l("Address"),
    "occupation": _l("Occupation"),
    "neighbourhood": _l("Neighbourhood"),
    "place": _l("Ward"),
    "grounds": _l("Ground of support"),
    "sms_consent": _l("Agrees to messages"),
}
COLUMN_NAMES = {
    Field.SERIAL: _l("Serial number"),
    Field.FULL_NAME: _l("Full name"),
    Field.HOUSEHOLDER: _l("Head of household"),
    Field.SURNAME: _l("Family and middle name"),
    Field.GIVEN_NAME: _l("Given name"),
    Field.SEX: _l("Sex"),
    Field.MAN: _l("Man (marked)"),
    Field.WOMAN: _l("Woman (marked)"),
    Field.BIRTH: _l("Day or year of birth"),
    Field.BIRTH_OF_MAN: _l("Birth of men"),
    Field.BIRTH_OF_WOMAN: _l("Birth of women"),
    Field.BIRTH_DAY: _l("Day in the month of birth"),
    Field.BIRTH_MONTH: _l("Month of birth"),
    Field.PHONE: _l("Mobile"),
    Field.OTHER_PHONE: _l("Other telephone"),
    Field.CITIZEN_ID: _l("Citizen number"),
    Field.SI_NUMBER: _l("Insurance number"),
    Field.POOR: _l("Poor household"),
    Field.NEAR_POOR: _l("Near-poor household"),
    Field.STANDING: _l("Ground of support"),
    Field.MINORITY: _l("Ethnic minority (marked)"),
    Field.PEOPLE: _l("Ethnic group"),
    Field.ADDRESS: _l("Address"),
    Field.NEIGHBOURHOOD: _l("Neighbourhood"),
    Field.WARD: _l("Ward"),
    Field.OCCUPATION: _l("Occupation"),
    Field.SMS_CONSENT: _l("Agrees to messages"),
    Field.NOTE: _l("Note"),
    Field.TAX_CODE: _l("Tax code"),
    Field.BUSINESS_NAME: _l("Name of the business"),
    Field.TRADE: _l("Trade"),
    Field.TAX_METHOD: _l("How tax is paid"),
    Field.SINCE: _l("Begun on"),
    Field.PAID_THROUGH: _l("Paid through the month"),
    Field.PAY_METHOD: _l("Months paid at once"),
    Field.INCOME: _l("Chosen income, a month"),
    Field.HOUSEHOLD_CODE: _l("Household number"),
    Field.KINSHIP: _l("Kinship to the head"),
    Field.CERTIFICATE: _l("Certificate number"),
    Field.FROM_MONTH: _l("First month paid"),
    Field.MONTHS_COUNT: _l("Number of months"),
    Field.TOTAL_PAID: _l("Premium, all of it"),
    Field.OWN_PAID: _l("Paid by the person, đồng"),
    Field.STATE_PAID: _l("Paid by the State, đồng"),
    Field.LOCAL_PAID: _l("Paid by the place, đồng"),
    Field.OTHER_PAID: _l("Paid by others, đồng"),
    Field.PAID_ON: _l("Day of payment"),
    Field.RECEIPT: _l("Receipt number"),
    Field.LIST_NUMBER: _l("List number"),
}


# ---- what a row proposes


class Proposed(NamedTuple):
    """Somebody a row proposes, with the ward they were put into."""

    full_name: str
    place_id: UUID
    sex: Sex | None = None
    birth_year: int | None = None
    birth_date: date | None = None
    phone: str | None = None
    other_phone: str | None = None
    citizen_id: str | None = None
    si_number: str | None = None
    grounds: tuple[Ground, ...] = ()
    address: str | None = None
    neighbourhood: str | None = None
    occupation: str | None = None
    sms_consent: bool | None = None
    note: str | None = None
    extra: Mapping[str, Any] = NOTHING_MORE
    """What a list of its kind says besides, as plain JSON values; read by the kind's handler."""

    @classmethod
    def of(cls, person: Person, place_id: UUID, neighbourhood: str | None = None) -> Proposed:
        home = neighbourhood or person.neighbourhood
        return cls(
            person.full_name,
            place_id,
            _SEXES[person.sex],
            person.birth_year,
            person.birth_date,
            person.phone,
            person.other_phone,
            person.citizen_id,
            person.si_number,
            tuple(map(Ground, person.grounds)) if person.grounds else (),
            person.address,
            home[:100] if home else None,
            person.occupation,
            person.sms_consent,
            person.note,
            dict(person.extra) if person.extra else NOTHING_MORE,
        )

    @classmethod
    def from_json(cls, text: str) -> Proposed:
        kept = json.loads(text)
        return cls(
            **kept
            | {
                "place_id": UUID(kept["place_id"]),
                "sex": Sex(kept["sex"]) if kept["sex"] else None,
                "birth_date": date.fromisoformat(kept["birth_date"]) if kept["birth_date"] else None,
                "grounds": tuple(Ground(ground) for ground in kept["grounds"]),
            }
        )

    def as_json(self) -> str:
        """All fields in their order. Rows are known again by these very words, so they stay as they are."""
        return _WRITTEN % (
            _quoted(self.full_name),
            _id_as_text(self.place_id),
            f'"{self.sex}"' if self.sex else "null",
            "null" if self.birth_year is None else self.birth_year,
            f'"{self.birth_date}"' if self.birth_date else "null",
            _json(self.phone),
            _json(self.other_phone),
            _json(self.citizen_id),
            _json(self.si_number),
            f"[{', '.join(map(_quoted, self.grounds))}]" if self.grounds else "[]",
            _json(self.address),
            _json(self.neighbourhood),
            _json(self.occupation),
            "null" if self.sms_consent is None else "true" if self.sms_consent else "false",
            _json(self.note),
            _AS_WRITTEN(dict(self.extra)) if self.extra else "{}",
        )

    @property
    def phones(self) -> frozenset[str]:
        return frozenset(filter(None, (self.phone, self.other_phone)))

    @property
    def says_no_number(self) -> bool:
        """Whether neither telephone nor number tells whom the row means: then the row itself has to be known again."""
        return not (self.phone or self.other_phone or self.citizen_id or self.si_number)


_SEXES: Mapping[str | None, Sex | None] = {None: None} | {sex.value: sex for sex in Sex}
_WRITTEN = "{" + ", ".join(f'"{name}": %s' for name in Proposed._fields) + "}"
_quoted = json.encoder.encode_basestring
_AS_WRITTEN = json.JSONEncoder(ensure_ascii=False, default=str).encode


def _json(text: str | None) -> str:
    return "null" if text is None else _quoted(text)


@lru_cache(maxsize=1_024)
def _id_as_text(place_id: UUID) -> str:
    return f'"{place_id}"'


def cells_as_json(cells: Sequence[Cell]) -> str:
    """A row as it stood in the file; days keep that they are days."""
    return f"[{', '.join([_quoted(cell) if type(cell) is str else _cell_as_json(cell) for cell in cells])}]"


@lru_cache(maxsize=16_384, typed=True)
def _cell_as_json(cell: Cell) -> str:
    return _AS_WRITTEN(cell if type(cell) in _PLAIN else _tagged(cell))


def cells_from_json(text: str) -> list[Cell]:
    """The row again."""
    return [_untagged(cell) for cell in json.loads(text)]


_PLAIN = frozenset({str, int, float, bool, type(None)})


def _tagged(cell: Cell) -> Any:
    if isinstance(cell, datetime):
        return {"moment": cell.isoformat()}
    if isinstance(cell, date):
        return {"day": cell.isoformat()}
    return str(cell) if isinstance(cell, (time, timedelta)) else cell


def _untagged(cell: Any) -> Cell:
    if not isinstance(cell, dict):
        return cell  # type: ignore[no-any-return]
    return datetime.fromisoformat(cell["moment"]) if "moment" in cell else date.fromisoformat(cell["day"])


_NUMBER = re.compile(r"\d[\d .\-]{7,}\d")


def masked_cell(text: str, phones: Collection[str]) -> str:
    """A cell as those see it who may not read identity numbers: whatever may be one is masked, telephones are not."""

    def covered(number: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", number[0])
        is_phone = {read_phone(number[0]).mobile, read_phone(number[0]).landline} & set(phones)
        return number[0] if len(digits) < 9 or is_phone else mask(digits)

    return _NUMBER.sub(covered, text)


IDENTITY = frozenset({Field.CITIZEN_ID, Field.SI_NUMBER, Field.TAX_CODE})
"""Columns of numbers that tell who somebody is; a tax code may be the owner's citizen number."""
_PHONES = frozenset({Field.PHONE, Field.OTHER_PHONE})
_FEWEST_DIGITS = 6
"""Of a number whose first zeros a spreadsheet ate, or that was cut short."""


def cell_shown(text: str, held: Field | None) -> str:
    """A cell of a column as the pages of a list show it: numbers of identity masked, also in a column that nobody has
    understood; telephones as they are."""
    digits = re.sub(r"\D", "", text)
    if held in IDENTITY and len(digits) >= _FEWEST_DIGITS:
        return mask(digits)
    read = read_phone(text)
    phones = [one for one in (read.mobile, read.landline) if one]
    return text if held in _PHONES else masked_cell(text, phones)


# ---- which ward


class Unit(Protocol):
    """A ward or commune."""

    @property
    def id(self) -> UUID: ...
    @property
    def name(self) -> str: ...
    def valid_on(self, day: date) -> bool: ...


_KIND = re.compile(r"^(phuong|xa|thi tran|p|x|tt)(?:\.\s*|\s+)(?=\S)")


def unit_named(name: str, units: Iterable[Unit], today: date) -> Unit | None:
    """The unit that a list calls by this name, accents and the word for its kind aside.

    `units` come newest first. Of several: one whose kind is named too, then the one valid today, then the latest.
    """
    kind, bare = _kind_and_name(name)
    found = [unit for unit in units if _kind_and_name(unit.name)[1] == bare]
    found = [unit for unit in found if kind and _kind_and_name(unit.name)[0] == kind] or found
    return next((unit for unit in found if unit.valid_on(today)), found[0] if found else None)


def _kind_and_name(name: str) -> tuple[str, str]:
    plain = fold(name)
    match = _KIND.match(plain)
    if not match:
        return "", plain
    return {"p": "phuong", "x": "xa", "tt": "thi tran"}.get(match[1], match[1]), plain[match.end() :].strip()


# ---- whom a row may be


@dataclass(frozen=True, slots=True)
class Likeness:
    """How somebody kept already compares with a row, as crm/prospects/identity judges everybody; `certain` is what need
    not be asked."""

    comparison: Comparison | None
    """None: not judged, for the list has told of them before in the same words."""
    certain: bool

    @property
    def reasons(self) -> list[str]:
        return [TOLD_BEFORE] if self.comparison is None else [why.value for why in self.comparison.reasons]

    @property
    def weight(self) -> tuple[bool, int]:
        return self.certain, 100 if self.comparison is None else self.comparison.score

    @property
    def evidence(self) -> dict[str, Any]:
        """What was seen in both, the weightiest first, for the row's `detail`."""
        if self.comparison is None:
            return {}
        clues = [f"{'' if piece.weight > 0 else '!'}{piece.code.value}" for piece in self.comparison.evidence]
        return {"score": self.comparison.score, "evidence": clues}


TOLD_BEFORE = "told_before"
_NUMBERS = frozenset({Clue.CITIZEN_ID, Clue.SI_NUMBER})
_CHANGES = frozenset({Clue.OCCUPATION_OTHER})
"""What people change: nobody is asked because of it alone."""
_VAGUE = frozenset({Same.LIKE_NAME, Same.LIKE_NAME_AND_HOUSE})


def likeness(comparison: Comparison, *, nothing_new: bool) -> Likeness | None:
    """What follows for a list from a comparison; None when they are two people.

    Not asked about is one person against whom nothing speaks, or who has the same number; and a row that says nothing
    new of somebody who may be meant, unless it is their name alone. Elsewhere a person decides.
    """
    if comparison.verdict is Verdict.DIFFERENT:
        return None
    numbered = any(piece.code in _NUMBERS for piece in comparison.evidence)
    agreed = numbered or all(piece.weight >= 0 or piece.code in _CHANGES for piece in comparison.evidence)
    sure = comparison.verdict is Verdict.SAME and agreed
    return Likeness(comparison, sure or (nothing_new and not set(comparison.reasons) <= _VAGUE))


def _differ(one: object, other: object) -> bool:
    return one is not None and other is not None and one != other


PLAIN_FIELDS = ("sex", "birth_year", "birth_date", "phone", "other_phone", "citizen_id", "si_number")
WORDED_FIELDS = ("address", "occupation", "neighbourhood")


@dataclass(frozen=True, slots=True)
class Difference:
    """What a row says of somebody kept: what was not known, and what is known otherwise."""

    fills: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()


def difference(new: Proposed, kept: Mapping[str, Any]) -> Difference:
    """Compare a row with what is kept: the fields of `Proposed`, `place_id`, and whether consent is known."""
    fills: list[str] = []
    differs: list[str] = []
    for name in (*PLAIN_FIELDS, *WORDED_FIELDS):
        said, known = getattr(new, name), kept[name]
        if said is None or said == known or (name in WORDED_FIELDS and known and fold(said) == fold(known)):
            continue
        if name in ("phone", "other_phone") and said in (kept["phone"], kept["other_phone"]):
            continue
        if name == "birth_date" and _differ(new.birth_year, kept["birth_year"]):
            continue
        if name == "address" and known and new.place_id == kept["place_id"] and same_house_no_more(said, known):
            continue
        if name == "neighbourhood" and new.place_id != kept["place_id"]:
            continue
        (fills if known is None else differs).append(name)
    if new.place_id != kept["place_id"]:
        differs.append("place")
    if spelling_key(new.full_name) != spelling_key(kept["full_name"]):
        differs.append("full_name")
    if set(new.grounds) - set(kept["grounds"]):
        fills.append("grounds")
    if new.sms_consent and new.phone and new.phone == (kept["phone"] or new.phone) and not kept["sms_consent"]:
        fills.append("sms_consent")
    return Difference(tuple(fills), tuple(differs))


_PROMOTION = re.compile(r"quang cao|tuyen truyen|van dong|gioi thieu|moi tham gia|promotion|advert")


def purposes_of(heading: str) -> tuple[Purpose, ...]:
    """What a column of consent agrees to: the purpose its heading names; when it names none, service messages only,
    for consent to advertising has to be given by itself (Decree 91/2020; Law 91/2025)."""
    return (Purpose.PROMOTION if _PROMOTION.search(fold(heading)) else Purpose.SERVICE,)


# ---- how a row is told


def sentence_of(sheet: str, row: int, code: str, params: Mapping[str, Any]) -> str:
    """Why a row is rejected, where it stands and how to mend it, in the reader's language."""
    places = {**params, "sheet": sheet, "row": row}
    if code in set(WardReason):
        return str(_WARD_SENTENCES[WardReason(code)]) % places
    return Rejected(sheet, row, Reason(code), places, ()).sentence


def duplicate_sentence(codes: Iterable[str], of: tuple[str, int] | None, evidence: Collection[str] = ()) -> str:
    """Why a row is set aside, in the reader's language; `evidence` is what was seen in both, told where it is known."""
    seen = [CLUE_SENTENCES[Clue(code)] for code in evidence if code in set(Clue)]
    why = ", ".join(map(str, seen or [_because(code) for code in codes if code != KEPT_ELSEWHERE]))
    against = ", ".join(
        str(CLUE_SENTENCES[Clue(code[1:])]) for code in evidence if code[0] == "!" and code[1:] in set(Clue)
    )
    codes = set(codes)
    if of:
        return str(_l("Repeats sheet “%(sheet)s”, row %(row)s: %(why)s.", sheet=of[0], row=of[1], why=why))
    if KEPT_ELSEWHERE in codes:
        return str(_l("Somebody of another unit is here already who may be this person: %(why)s.", why=why))
    if against:
        return str(
            _l("May be somebody who is here already: %(why)s. Speaks for two: %(against)s.", why=why, against=against)
        )
    return str(_l("May be somebody who is here already: %(why)s.", why=why))


def _because(code: str) -> object:
    if code in set(Same):
        return SAME_SENTENCES[Same(code)]
    return because(SameBecause(code))


class Row(Protocol):
    """A row of a list with what became of it."""

    @property
    def sheet(self) -> str: ...
    @property
    def row_number(self) -> int: ...
    @property
    def understood(self) -> str | None: ...
    @property
    def reasons(self) -> list[str]: ...
    @property
    def detail(self) -> dict[str, Any] | None: ...
    @property
    def outcome(self) -> RowOutcome: ...


def why_handed_back(row: Row) -> str:
    """Why a row was rejected or set aside, in the reader's language."""
    if row.outcome is RowOutcome.REJECTED:
        params = json.loads(row.understood or "{}").get("params", {})
        return sentence_of(row.sheet, row.row_number, row.reasons[0], params)
    detail = row.detail or {}
    of = (detail["of_sheet"], detail["of_row"]) if "of_sheet" in detail else None
    return duplicate_sentence(row.reasons, of, detail.get("evidence", ()))


def problem_sentence(problem: str | None) -> str | None:
    """Why a list cannot be used as a whole, in the reader's language."""
    if problem is None:
        return None
    told = json.loads(problem)
    if told["code"] in set(Problem):
        return str(PROBLEMS[Problem(told["code"])])
    return Unreadable(Refusal(told["code"]), **told["params"]).sentence
