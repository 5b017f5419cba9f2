"""Rows that wait to be copied, table by table, in the order in which tables refer to each other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy.orm import Session

from crm import sealed
from crm.citizen_ids import mask
from crm.clock import at
from crm.db import Model
from crm.demo.copying import copy_rows
from crm.demo.numbering import Numbering
from crm.demo.people import Home, Person, keys_of
from crm.demo.stories import Story
from crm.demo.taking_part import Paid, Spell
from crm.demo.team import Helper, Team
from crm.outreach.models import Assignment, Visit
from crm.participation.guard.rules import AVOIDABLE, StopReason
from crm.participation.models import MonthPayer, ParticipantMonth, Participation, Payment
from crm.participation.rules import Basis
from crm.participation.shares import Layers, Payer, PayerKind, Share, by_month
from crm.prospects.models import Consent, Household, Prospect, StageChange, Standing
from crm.prospects.rules import ConsentChannel, Ground, Purpose

COLUMNS: dict[type[Model], tuple[str, ...]] = {
    Household: ("town_id", "id", "place_id", "neighbourhood_id", "address"),
    Prospect: (
        *("town_id", "id", "full_name", "name_fold", "name_key", "sex", "birth_date", "birth_year", "phone"),
        *("other_phone", "citizen_id", "citizen_index", "citizen_masked"),
        *("insurance_number", "insurance_index", "insurance_masked", "place_id", "neighbourhood_id", "address"),
        *("occupation", "household_id", "kinship", "stage", "organisation_id", "volunteer_id", "next_contact_on"),
        *("last_contact_at", "last_outcome", "created_at", "created_by_id", "updated_at", "version"),
    ),
    Standing: (
        *("town_id", "id", "prospect_id", "ground", "certificate", "valid_from", "valid_to", "recorded_at"),
        "recorded_by_id",
    ),
    Consent: (
        *("town_id", "id", "phone", "purpose", "given", "channel", "at", "words", "prospect_id", "recorded_at"),
        "recorded_by_id",
    ),
    Assignment: (
        *("town_id", "id", "prospect_id", "volunteer_id", "organisation_id", "since", "until", "by_id"),
        *("volunteer_was_id", "organisation_was_id"),
    ),
    Visit: (
        *("town_id", "id", "prospect_id", "user_id", "organisation_id", "place_id", "occurred_at", "recorded_at"),
        *("channel", "outcome", "reasons", "note", "next_contact_on"),
    ),
    StageChange: ("town_id", "id", "prospect_id", "from_stage", "to_stage", "at", "by_id", "because_id"),
    Participation: (
        *("town_id", "id", "prospect_id", "started_on", "started_as", "ended_on", "ended_as", "place_id"),
        *("organisation_id", "recruited_by_id", "income", "method", "paid_through", "deadline_on", "stop_reason"),
        "asked_on",
    ),
    Payment: (
        *("town_id", "id", "participation_id", "prospect_id", "paid_on", "start_month", "months", "method", "income"),
        *("ground", "gross", "state_support", "local_support", "other_support", "own", "supported_months", "law"),
        *("basis", "receipt_number", "confirmation", "recorded_at", "recorded_by_id"),
    ),
    ParticipantMonth: (
        *("town_id", "prospect_id", "month", "payment_id", "supported"),
        *("own", "state_support", "local_support", "other_support"),
    ),
    MonthPayer: ("town_id", "id", "payment_id", "month", "kind", "payer_id", "amount"),
}

WORDS = "Đồng ý nhận tin nhắn nhắc hẹn và nhắc đóng BHXH tự nguyện"
WITHDRAWN = 0.015


HEARD: tuple[StopReason | None, ...] = (
    *(StopReason.NO_MONEY,) * 6,
    *(StopReason.FORGOT,) * 4,
    *(StopReason.TOO_FAR,) * 3,
    *(StopReason.FAMILY,) * 2,
    *(StopReason.NO_TRUST, StopReason.OTHER),
    *(None,) * 6,
)
"""What volunteers hear of those who stop paying; None where nobody has asked."""


def _why(spell: Spell) -> str | None:
    reason = HEARD[spell.id.int % len(HEARD)] if spell.ended_as in AVOIDABLE else None
    return reason and reason.value


class Sheaf:
    """Collects the rows of some people and copies them together; what it holds stays small."""

    def __init__(self, session: Session, team: Team, random: Random, number: Numbering, as_of: date) -> None:
        self.session, self.team, self.random, self.number, self.as_of = session, team, random, number, as_of
        self.rows: dict[type[Model], list[Sequence[Any]]] = {model: [] for model in COLUMNS}
        self.seal = sealed.current()
        self.receipts = 0
        self.houses: set[UUID] = set()

    def __len__(self) -> int:
        """How many people are in it."""
        return len(self.rows[Prospect])

    def bind(self) -> None:
        """Copy what has been collected."""
        for model, columns in COLUMNS.items():
            if self.rows[model]:
                copy_rows(self.session, model, columns, self.rows[model])
                self.rows[model] = []
        self.houses.clear()

    def person(self, person: Person, *, since: int | None = None) -> None:
        """Somebody with household, standing and consent. Their standing is known from the year `since` on."""
        town, home, helper = self.team.town_id, person.home, person.helper
        if home.id not in self.houses:
            self.houses.add(home.id)
            self.rows[Household].append((town, home.id, home.unit.id, home.neighbourhood_id, home.address))
        folded, key = keys_of(person.full_name)
        self.rows[Prospect].append(
            (
                *(town, person.id, person.full_name, folded, key, person.sex.value, person.birth_date),
                *(person.birth_year, person.phone, person.other_phone),
                *(*self._sealed(person.citizen_id), *self._sealed(person.insurance_number)),
                *(home.unit.id, home.neighbourhood_id, home.address, person.occupation, home.id),
                *(person.kinship.value, person.stage.value, *_of(helper), person.next_contact_on),
                *(person.last_contact_at, person.last_outcome, person.created_at, self.team.manager_id),
                *(person.updated_at or person.created_at, 1),
            )
        )
        if home.ground is not Ground.OTHER:
            self._standings(person.id, home, person.created_at, since or self.as_of.year)
        if person.agrees_to_sms:
            self._consent(person)

    def story(self, person: Person, story: Story) -> None:
        """Who looked after somebody, what was said, and the stages they went through."""
        town, by = self.team.town_id, self.team.manager_id
        for care in story.cares:
            helper, before = care.by, care.before
            row = (town, self.number(), person.id, helper.id, helper.organisation_id, care.since, care.until, by)
            self.rows[Assignment].append((*row, before and before.id, before and before.organisation_id))
        for talk in story.talks:
            self.rows[Visit].append(
                (
                    *(town, talk.id, person.id, talk.by.id, talk.by.organisation_id, person.home.unit.id),
                    *(talk.at, talk.at + timedelta(minutes=self.random.randint(2, 90))),
                    *(talk.channel.value, talk.outcome.value, [reason.value for reason in talk.reasons]),
                    *(talk.note, talk.next_contact_on),
                )
            )
        for step in story.steps:
            stages = (step.from_stage and step.from_stage.value, step.to_stage.value)
            self.rows[StageChange].append(
                (town, self.number(), person.id, *stages, step.at, step.by_id, step.because_id)
            )

    def spell(self, person: Person, spell: Spell) -> None:
        """A time of taking part with its payments and their months."""
        town, helper = self.team.town_id, person.helper
        organisation_id, recruited_by_id = _of(helper)
        self.rows[Participation].append(
            (
                *(town, spell.id, person.id, spell.started_on, spell.started_as.value, spell.ended_on),
                *(spell.ended_as and spell.ended_as.value, person.home.unit.id, organisation_id, recruited_by_id),
                *(spell.income, spell.method, spell.paid_through.first_day, spell.deadline_on, why := _why(spell)),
                spell.ended_on if why else None,
            )
        )
        for paid in spell.payments:
            self._payment(person, spell, paid)

    def _payment(self, person: Person, spell: Spell, paid: Paid) -> None:
        town, told = self.team.town_id, paid.told
        own = told.payable - paid.other_support
        layers = (told.gross, told.state_support, told.local_support, paid.other_support, own)
        self.rows[Payment].append(
            (
                *(town, paid.id, spell.id, person.id, paid.paid_on, paid.start.first_day, paid.months, paid.months),
                *(told.income, told.ground.value, *layers, told.supported_months, paid.law),
                *self._proof(person, paid),
            )
        )
        others = (Share(Payer(PayerKind.SPONSOR, paid.sponsor_id), paid.other_support),) if paid.sponsor_id else ()
        whole = Layers(paid.months, told.supported_months, own, told.state_support, told.local_support, others)
        for month, share in zip(paid.start.run(paid.months), by_month(whole), strict=True):
            day = month.first_day
            self.rows[ParticipantMonth].append(
                (town, person.id, day, paid.id, share.supported, share.own, share.state, share.local, share.other)
            )
            for (kind, payer_id), amount in share.others:
                key = uuid5(paid.id, day.isoformat())
                self.rows[MonthPayer].append((town, key, paid.id, day, kind.value, payer_id, amount))

    def _proof(self, person: Person, paid: Paid) -> tuple[Any, ...]:
        """Basis, receipt, confirmation, when and by whom: agents take money; older payments come from the insurance."""
        if paid.paid_on.year < self.as_of.year:
            words = f"Danh sách BHXH thị xã chuyển, năm {paid.paid_on.year}"
            return Basis.CONFIRMED.value, None, words, person.created_at, self.team.manager_id
        moment = at(paid.paid_on, 10, 30)
        if paid.id.int % 7 == 0:
            words = f"Danh sách BHXH thị xã tháng {paid.paid_on.month}/{paid.paid_on.year}"
            return Basis.CONFIRMED.value, None, words, moment, self.team.manager_id
        self.receipts += 1
        agent = person.home.unit.agents[0]
        return Basis.TAKEN.value, f"BL{self.as_of:%y}-{self.receipts:06d}", None, moment, agent.id

    def _standings(self, person_id: UUID, home: Home, recorded_at: datetime, since: int) -> None:
        for year in range(since, self.as_of.year + 1):
            valid = (date(year, 1, 1), date(year + 1, 1, 1))
            row = (self.team.town_id, self.number(), person_id, home.ground.value, f"{home.certificate}/{year}", *valid)
            self.rows[Standing].append((*row, recorded_at, self.team.manager_id))

    def _consent(self, person: Person) -> None:
        channel = ConsentChannel.PAPER if person.id.int % 3 else ConsentChannel.DOORSTEP
        self._answer(person, True, channel, person.created_at)
        if self.random.random() < WITHDRAWN:
            later = at(self.as_of, 8) - timedelta(days=self.random.randint(1, 20))
            self._answer(person, False, ConsentChannel.LINK, max(later, person.created_at + timedelta(hours=1)))

    def _answer(self, person: Person, given: bool, channel: ConsentChannel, moment: datetime) -> None:
        words = WORDS if given else None
        self.rows[Consent].append(
            (
                *(self.team.town_id, self.number(), person.phone, Purpose.SERVICE.value, given, channel.value),
                *(moment, words, person.id, moment, self.team.manager_id if given else None),
            )
        )

    def _sealed(self, number: str | None) -> tuple[bytes | None, bytes | None, str | None]:
        if number is None:
            return None, None, None
        return self.seal.close(number), self.seal.index(number), mask(number)


def _of(helper: Helper | None) -> tuple[UUID | None, UUID | None]:
    """Organisation and person."""
    return (helper.organisation_id, helper.id) if helper else (None, None)
