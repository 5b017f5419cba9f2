"""What has been texted: reminders of payments and one invitation, and what became of each message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from sqlalchemy.orm import Session

from crm.campaigns.models import Campaign, Message
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.rules.reasons import Reason, reason_for
from crm.campaigns.rules.stages import Stage, person_values
from crm.campaigns.rules.texts import fill, size, unaccented
from crm.clock import at
from crm.demo.copying import copy_rows
from crm.demo.numbering import Numbering
from crm.demo.people import Person
from crm.demo.taking_part import Spell
from crm.demo.team import Team
from crm.prospects.rules import Purpose, Sex
from crm.prospects.rules import Stage as People
from crm.reminders.rules import PAYMENT_LAST_DAYS, PAYMENT_SOON, Reminder, written

BEGAN = timedelta(days=130)
"""So long ago the town began to remind people by SMS."""

LOST: Sequence[tuple[Delivery, int]] = (
    (Delivery.UNDELIVERED, 30003),
    (Delivery.UNDELIVERED, 30003),
    (Delivery.UNDELIVERED, 30005),
    (Delivery.FAILED, 30006),
)
LOST_OF_A_HUNDRED = 6

INVITATION = (
    "Mời {xung_ho} {ten} dự buổi tư vấn BHXH tự nguyện tại nhà văn hóa khu phố, 19h30 thứ sáu tuần này. Trân trọng."
)
INVITED, INVITED_AGO = 400, timedelta(days=48)
DRAFT = "Kính gửi {xung_ho} {ten}: nếu còn quan tâm BHXH tự nguyện, xin gọi cộng tác viên khu phố để được tính mức đóng phù hợp."

COLUMNS = (
    *("town_id", "id", "campaign_id", "reminder", "purpose", "phone", "prospect_id", "local_day", "body", "encoding"),
    *("segments", "state", "reason", "not_before", "expires_at", "made_at", "claimed_at", "attempts", "sid"),
    *("error_code", "settled_at"),
)


@dataclass
class Texting:
    """Collects messages; a number gets the same reminder once a day at most, and one invitation."""

    team: Team
    random: Random
    number: Numbering
    as_of: date
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    had: set[tuple[str, str, date]] = field(default_factory=set)
    invited: int = 0

    def __post_init__(self) -> None:
        self.ward = max(self.team.units, key=lambda unit: unit.share.inhabitants)
        self.campaign_id = self.number()
        self.invited_on = self.as_of - INVITED_AGO

    def remind(self, person: Person, spell: Spell) -> None:
        """What somebody who takes part was reminded of, if they agree to be."""
        if not (person.agrees_to_sms and person.phone):
            return
        for paid in spell.payments[1:]:
            self._before(person, paid.due_on, paid.paid_on)
        if spell.ended_on is None:
            self._before(person, spell.deadline_on, self.as_of)

    def invite(self, person: Person) -> None:
        """Invite somebody of the largest ward who is thinking it over, or note why they were left out."""
        thinks = person.stage is People.CONSIDERING and person.home.unit is self.ward
        if not thinks or self.invited >= INVITED:
            return
        self.invited += 1
        if not person.phone or not person.agrees_to_sms:
            self._left_out(person, Reason.NO_CONSENT if person.phone else Reason.NO_PHONE)
        elif ("", person.phone, self.invited_on) in self.had:
            self._left_out(person, Reason.SAME_PHONE)
        else:
            self.had.add(("", person.phone, self.invited_on))
            body = unaccented(fill(INVITATION, self._values(person, self.invited_on)))
            self._sent(person, self.invited_on, body, campaign=True)

    def write(self, session: Session) -> None:
        """The campaigns and all messages."""
        made = at(self.invited_on - timedelta(days=1), 15)
        thinking = {"stage": People.CONSIDERING.value}
        here = {"place": str(self.ward.id), **thinking}
        for key, name, words, stage, segment in (
            (self.campaign_id, "Mời dự buổi tư vấn tại khu phố", INVITATION, Stage.DONE, here),
            (self.number(), "Nhắc người còn đang cân nhắc", DRAFT, Stage.DRAFT, thinking),
        ):
            done = stage is Stage.DONE
            session.add(
                Campaign(
                    town_id=self.team.town_id,
                    id=key,
                    name=name,
                    text=words,
                    purpose=Purpose.SERVICE,
                    stage=stage,
                    segment=segment,
                    created_by_id=self.team.organiser_id,
                    created_at=made if done else at(self.as_of - timedelta(days=1), 16),
                    launched_by_id=self.team.manager_id if done else None,
                    launched_at=at(self.invited_on, 7, 30) if done else None,
                    expires_at=at(self.invited_on, 20) if done else None,
                )
            )
        session.flush()
        copy_rows(session, Message, COLUMNS, self.rows)

    def _before(self, person: Person, due_on: date, paid_on: date) -> None:
        for reminder in (PAYMENT_SOON, PAYMENT_LAST_DAYS):
            day = due_on - timedelta(days=reminder.earliest)
            if self.as_of - BEGAN <= day < min(paid_on, self.as_of):
                self._reminder(person, reminder, day, due_on)

    def _reminder(self, person: Person, reminder: Reminder, day: date, due_on: date) -> None:
        key = (reminder.code, person.phone or "", day)
        if key not in self.had:
            self.had.add(key)
            body = reminder.body(self._values(person, day) | {"ngay": written(due_on)})
            self._sent(person, day, body, reminder=reminder.code)

    def _values(self, person: Person, day: date) -> dict[str, str]:
        return person_values(person.full_name, person.sex is Sex.FEMALE, person.birth_year, day.year)

    def _sent(
        self, person: Person, day: date, body: str, *, reminder: str | None = None, campaign: bool = False
    ) -> None:
        counted = size(body)
        lost = self.random.randrange(100) < LOST_OF_A_HUNDRED
        state, code = self.random.choice(LOST) if lost else (Delivery.DELIVERED, None)
        key, made = self.number(), at(day, 7, 30)
        gone = made + timedelta(seconds=self.random.randint(1, 240))
        settled = gone + timedelta(seconds=self.random.randint(2, 40))
        self.rows.append(
            (
                *(self.team.town_id, key, self.campaign_id if campaign else None, reminder, Purpose.SERVICE.value),
                *(person.phone, person.id, day if reminder else None, body, counted.encoding, counted.segments),
                *(state.value, reason_for(code).value if code else None, made, at(day, 20), made, gone, 1),
                *(f"SM{key.hex}", code, settled),
            )
        )

    def _left_out(self, person: Person, reason: Reason) -> None:
        made = at(self.invited_on, 7, 30)
        self.rows.append(
            (
                *(self.team.town_id, self.number(), self.campaign_id, None, Purpose.SERVICE.value, person.phone),
                *(person.id, None, "", None, 0, Delivery.EXCLUDED.value, reason.value, made, at(self.invited_on, 20)),
                *(made, None, 0, None, None, made),
            )
        )
