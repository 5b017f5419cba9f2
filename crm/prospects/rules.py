"""Stages, standing and consent, how a person's particulars are read, and who may be the same: what follows from what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l

from crm.citizen_ids import CitizenIdProblem, read_citizen_id
from crm.errors import Refusals, RuleBroken
from crm.names import NameProblem, clean, looks_like_a_name, tidy
from crm.phones import Phone, PhoneProblem, read_phone


class Sex(StrEnum):
    FEMALE = "female"
    MALE = "male"


class Stage(StrEnum):
    """How far someone is on the way to taking part."""

    NEW = "new"
    UNREACHED = "unreached"
    REFUSED = "refused"
    CONSIDERING = "considering"
    INTERESTED = "interested"
    AGREED = "agreed"
    JOINED = "joined"
    LAPSED = "lapsed"
    NOT_ELIGIBLE = "not_eligible"


class Ground(StrEnum):
    """Grounds for State support (Decree 134/2015 art. 14; Decree 159/2025 art. 5), the strongest first."""

    POOR = "poor"
    ISLAND = "island"
    NEAR_POOR = "near_poor"
    ETHNIC_MINORITY = "ethnic_minority"
    OTHER = "other"


STRENGTH = {ground: place for place, ground in enumerate(Ground)}
POVERTY = (Ground.POOR, Ground.NEAR_POOR)
"""The grounds that a household has as a whole, one of the two at a time."""
PAPER_NEEDED = _l("Name the paper that shows it, such as the birth certificate. The group itself is not written down.")


def deciding(grounds: Iterable[Ground]) -> Ground:
    """The ground that decides support: of several the strongest; `other` when there is none."""
    return min(grounds, key=STRENGTH.__getitem__, default=Ground.OTHER)


def grounds_held(papers: Iterable[Ground], *, special: bool) -> tuple[Ground, ...]:
    """Every ground for support somebody has, the strongest first: those on `papers` that hold, and the island where the
    commune they live in is one or a special zone, which is a place and no paper. The law says which counts."""
    held = {*papers, *((Ground.ISLAND,) if special else ())}
    return tuple(sorted(held, key=STRENGTH.__getitem__))


class Kinship(StrEnum):
    """What somebody is to the head of the household, as the offices' lists of households say it."""

    HEAD = "head"
    SPOUSE = "spouse"
    CHILD = "child"
    CHILD_IN_LAW = "child_in_law"
    PARENT = "parent"
    PARENT_IN_LAW = "parent_in_law"
    GRANDPARENT = "grandparent"
    GRANDCHILD = "grandchild"
    SIBLING = "sibling"
    SIBLING_IN_LAW = "sibling_in_law"
    NEPHEW_NIECE = "nephew_niece"
    UNCLE_AUNT = "uncle_aunt"
    NOT_RELATED = "not_related"
    OTHER = "other"


class Purpose(StrEnum):
    """What a message is for; consent is given for each by itself (Decree 91/2020, Law 91/2025)."""

    SERVICE = "service"
    PROMOTION = "promotion"


class ConsentChannel(StrEnum):
    PAPER = "paper"
    DOORSTEP = "doorstep"
    PHONE_CALL = "phone_call"
    WEB = "web"
    LINK = "link"
    QR = "qr"
    """The square on a number's page, scanned with its owner's own phone: the same address as the link, another way to it."""
    SMS = "sms"
    HOTLINE = "hotline"
    IMPORT = "import"
    DO_NOT_CALL = "do_not_call"
    """From a list of numbers that want no promotions, such as the national one (Decree 91/2020 art. 7)."""


NO_PROOF = frozenset({ConsentChannel.IMPORT, ConsentChannel.LINK, ConsentChannel.QR, ConsentChannel.DO_NOT_CALL})
"""Ways by which nobody agrees again: a list says nothing of what came after it, and an address only refuses."""
BY_THEMSELVES = frozenset({ConsentChannel.WEB, ConsentChannel.SMS})
"""Ways by which the owner of a number writes with their own hand."""


def is_refusal(given: bool, channel: ConsentChannel) -> bool:
    """Whether an answer is a person's no. A list that is undone takes back its own yes; that refuses nothing."""
    return not given and channel is not ConsentChannel.IMPORT


def is_proof(channel: ConsentChannel, words: str | None, *, by_somebody: bool) -> bool:
    """Whether a yes may end a refusal: said in a way in which people speak, in words that are kept, and written down by
    somebody or by the person."""
    spoken = channel not in NO_PROOF and (by_somebody or channel in BY_THEMSELVES)
    return spoken and len((words or "").strip()) > 1


class ImportState(StrEnum):
    QUEUED = "queued"
    READING = "reading"
    READY = "ready"
    COMMITTING = "committing"
    COMMITTED = "committed"
    UNDOING = "undoing"
    UNDONE = "undone"
    FAILED = "failed"


class ListKind(StrEnum):
    """What a list is: people as such, or a list by which another office tells something of them."""

    PEOPLE = "people"
    HOUSEHOLD_BUSINESSES = "household_businesses"
    PARTICIPANTS = "participants"
    POOR_HOUSEHOLDS = "poor_households"
    PAYMENTS = "payments"


class RowOutcome(StrEnum):
    """What an import makes of a row."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


OLDEST = 120
"""No one alive is older, in years."""
LONGEST_TEXT = {"address": 300, "occupation": 100, "certificate": 100, "words": 500}

Given = Mapping[str, Any]
"""What someone typed or sent about a person, by field: texts as written, ids and days already typed."""

_SI_NUMBER = re.compile(r"[0-9]{10}")


@dataclass(frozen=True, slots=True)
class NewStanding:
    """A ground that somebody says they have: from a day, up to and including a day."""

    ground: Ground
    certificate: str | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class NewConsent:
    """Yes or no to messages of one purpose: how and on which day it was said, and to which words."""

    purpose: Purpose
    given: bool
    channel: ConsentChannel
    on: date
    words: str | None = None
    moment: datetime | None = None
    """When exactly, where that is known."""


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Someone to be added. Names and numbers as people write them; the service reads and checks them."""

    full_name: str
    place_id: UUID
    id: UUID | None = None
    neighbourhood_id: UUID | None = None
    birth_date: date | None = None
    birth_year: int | None = None
    sex: Sex | None = None
    phone: str | None = None
    other_phone: str | None = None
    citizen_id: str | None = None
    si_number: str | None = None
    address: str | None = None
    occupation: str | None = None
    household_id: UUID | None = None
    kinship: Kinship | None = None
    organisation_id: UUID | None = None
    volunteer_id: UUID | None = None
    grounds: tuple[NewStanding, ...] = ()
    consents: tuple[NewConsent, ...] = ()

    def as_given(self) -> dict[str, Any]:
        """The fields that `columns_of` reads."""
        return {name: getattr(self, name) for name in READ_FIELDS}


READ_FIELDS = (
    "full_name",
    "birth_date",
    "birth_year",
    "sex",
    "phone",
    "other_phone",
    "citizen_id",
    "si_number",
    "address",
    "occupation",
)
"""The fields that are read and checked one by one; the others are ids."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is kept of a person already, as far as other fields are checked against it."""

    sex: Sex | None = None
    birth_date: date | None = None
    birth_year: int | None = None
    citizen_id: str | None = None
    other_phone: str | None = None


NOBODY = Known()

_NAME_SENTENCES = {
    NameProblem.EMPTY: _l("Write the full name."),
    NameProblem.TOO_LONG: _l("The name is longer than 100 letters. Keep only the name."),
    NameProblem.DIGITS: _l("The name has digits in it. Write letters only."),
    NameProblem.SYMBOLS: _l("The name has signs that no name has. Write letters only."),
}
_PHONE_SENTENCES = {
    PhoneProblem.NO_NUMBER: _l("There is no telephone number in this. Write it such as 0912 345 678."),
    PhoneProblem.TOO_SHORT: _l("The telephone number is too short. Write it such as 0912 345 678."),
    PhoneProblem.TOO_LONG: _l("The telephone number is too long. Write it such as 0912 345 678."),
    PhoneProblem.UNKNOWN_PREFIX: _l("No telephone number here begins like this. Ask for the number again."),
    PhoneProblem.FOREIGN: _l("This is a foreign number. Write a number of Vietnam."),
    PhoneProblem.DIGITS_LOST: _l("Digits of the telephone number were lost. Write it such as 0912 345 678."),
}
_CITIZEN_SENTENCES = {
    CitizenIdProblem.NO_NUMBER: _l("There is no citizen number in this. It has 12 digits, the old one 9."),
    CitizenIdProblem.WRONG_LENGTH: _l("A citizen number has 12 digits, the old one 9. Count them again."),
    CitizenIdProblem.DIGITS_LOST: _l("Digits of the citizen number were lost. Copy all 12 from the card."),
    CitizenIdProblem.UNKNOWN_PROVINCE: _l("No citizen number begins like this. Copy it again from the card."),
    CitizenIdProblem.OTHER_SEX: _l("This citizen number belongs to someone of the other sex. Check both."),
    CitizenIdProblem.OTHER_BIRTH_YEAR: _l("This citizen number belongs to someone born in another year. Check both."),
}


def columns_of(given: Given, known: Known, today: date) -> dict[str, Any]:
    """The given fields as they are kept; only fields that were given are in the answer.

    `citizen_id` and `si_number` come back as plain digits. Raises RuleBroken naming the field, RulesBroken naming all.
    """
    kept: dict[str, Any] = {}
    refused = Refusals()
    if "full_name" in given:
        with refused.noted():
            kept["full_name"] = name_of(given["full_name"])
    if "sex" in given:
        kept["sex"] = given["sex"]
    if "birth_date" in given or "birth_year" in given:
        with refused.noted():
            kept |= birth_of(given, known, today)
    if "phone" in given or "other_phone" in given:
        with refused.noted():
            kept |= phones_of(given, known)
    unborn = refused.at("birth_date", "birth_year")
    sex, year = kept.get("sex", known.sex), None if unborn else kept.get("birth_year", known.birth_year)
    if "citizen_id" in given or {"sex", "birth_year"} & kept.keys():
        with refused.noted():
            number = citizen_id_of(given.get("citizen_id", known.citizen_id), sex, year)
            if "citizen_id" in given:
                kept["citizen_id"] = number
    if "si_number" in given:
        with refused.noted():
            kept["si_number"] = si_number_of(given["si_number"])
    for name in ("address", "occupation"):
        if name in given:
            with refused.noted():
                kept[name] = text_of(given[name], name)
    refused.raise_all()
    return kept


def name_of(text: str) -> str:
    """The name as it is kept. Raises RuleBroken."""
    problem = looks_like_a_name(text)
    if problem in _NAME_SENTENCES:
        raise RuleBroken(_NAME_SENTENCES[problem], field="full_name")
    return tidy(text)


def birth_of(given: Given, known: Known, today: date) -> dict[str, Any]:
    """The day and the year of birth that follow from either; a year alone forgets a day of another year."""
    day: date | None = given.get("birth_date", known.birth_date)
    year: int | None = given.get("birth_year", day.year if day and "birth_date" in given else known.birth_year)
    if day and year is not None and day.year != year:
        if "birth_date" in given:
            raise RuleBroken(_l("The day and the year of birth do not agree. Correct one of them."), field="birth_year")
        day = None
    year = day.year if day else year
    field = "birth_date" if day and "birth_date" in given else "birth_year"
    if (day and day > today) or (year is not None and year > today.year):
        raise RuleBroken(_l("The birth is in the future. Correct it."), field=field)
    if year is not None and year < today.year - OLDEST:
        raise RuleBroken(_l("The birth is more than 120 years ago. Correct the year."), field=field)
    return {"birth_date": day, "birth_year": year}


def phones_of(given: Given, known: Known) -> dict[str, Any]:
    """`phone` a mobile and `other_phone` any number, in E.164; a second number in the first field goes to the other."""
    kept: dict[str, Any] = {}
    spare: str | None = None
    refused = Refusals()
    if "phone" in given:
        with refused.noted():
            phone = _phone(given["phone"], "phone")
            if phone.landline and not phone.mobile:
                raise RuleBroken(
                    _l("This is a landline, which gets no messages. Write it under other telephone."), field="phone"
                )
            kept["phone"], spare = phone.mobile, phone.other
    if "other_phone" in given:
        with refused.noted():
            other = _phone(given["other_phone"], "other_phone")
            kept["other_phone"] = other.mobile or other.landline or spare
    elif spare and not known.other_phone:
        kept["other_phone"] = spare
    refused.raise_all()
    return kept


def _phone(text: str | None, field: str) -> Phone:
    read = read_phone(text)
    if read.problem:
        raise RuleBroken(_PHONE_SENTENCES[read.problem], field=field)
    return read


def mobile_of(text: str) -> str:
    """The mobile in E.164 that a consent is about. Raises RuleBroken."""
    mobile = _phone(text, "phone").mobile
    if not mobile:
        raise RuleBroken(_l("Messages need a mobile number. Write one such as 0912 345 678."), field="phone")
    return mobile


def citizen_id_of(text: str | None, sex: Sex | None, birth_year: int | None) -> str | None:
    """The digits of a citizen number, checked against sex and year where they are known. Raises RuleBroken."""
    read = read_citizen_id(text, sex.value if sex else None, birth_year)
    if isinstance(read, CitizenIdProblem):
        raise RuleBroken(_CITIZEN_SENTENCES[read], field="citizen_id")
    return read.number if read else None


def si_number_of(text: str | None) -> str | None:
    """The ten digits of an insurance number. Raises RuleBroken."""
    digits = re.sub(r"[\s.-]", "", text or "")
    if not digits:
        return None
    if not _SI_NUMBER.fullmatch(digits):
        raise RuleBroken(_l("A social insurance number has 10 digits. Count them again."), field="si_number")
    return digits


def text_of(text: str | None, field: str) -> str | None:
    """A free text without invisible characters. Raises RuleBroken when it is too long."""
    kept = clean(text or "") or None
    if kept and len(kept) > LONGEST_TEXT[field]:
        raise RuleBroken(
            _l("This is longer than %(most)s letters. Write it shorter.", most=LONGEST_TEXT[field]), field=field
        )
    return kept


class Same(StrEnum):
    """Why two records may be one person."""

    CITIZEN_ID = "citizen_id"
    SI_NUMBER = "si_number"
    NAME_AND_BIRTH_DATE = "name_and_birth_date"
    NAME_AND_BIRTH_YEAR = "name_and_birth_year"
    NAME_AND_PHONE = "name_and_phone"
    LIKE_NAME_AND_BIRTH = "like_name_and_birth"
    LIKE_NAME_AND_PHONE = "like_name_and_phone"
    LIKE_NAME_AND_HOUSE = "like_name_and_house"
    LIKE_NAME = "like_name"


SAME_SENTENCES = {
    Same.CITIZEN_ID: _l("the same citizen number"),
    Same.SI_NUMBER: _l("the same insurance number"),
    Same.NAME_AND_BIRTH_DATE: _l("the same name and day of birth"),
    Same.NAME_AND_BIRTH_YEAR: _l("the same name, year of birth and ward"),
    Same.NAME_AND_PHONE: _l("the same telephone and a similar name"),
    Same.LIKE_NAME_AND_BIRTH: _l("a similar name and birth"),
    Same.LIKE_NAME_AND_PHONE: _l("the same telephone and a name like it"),
    Same.LIKE_NAME_AND_HOUSE: _l("a similar name in the same house"),
    Same.LIKE_NAME: _l("a rare name that is alike"),
}

NOWHERE = UUID(int=0)
"""The ward of somebody of whom it is not known yet: it speaks neither for nor against anything."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What two records are compared by. Numbers are blind indexes."""

    full_name: str
    birth_date: date | None
    birth_year: int | None
    sex: Sex | None
    phones: frozenset[str]
    citizen: bytes | None
    citizen_digits: int
    """How many digits the citizen number has: an old and a new card may be one person's, two new ones may not."""
    insurance: bytes | None
    place_id: UUID
    card: str | None = field(default=None, repr=False)
    """The digits of the citizen number where they are at hand: they tell sex and year, and a slip in one place."""
    lineage: frozenset[UUID] = frozenset()
    """The ward with what it came from and what it became."""
    neighbourhood_id: UUID | None = None
    address: str | None = None
    household_id: UUID | None = None
    occupation: str | None = None
