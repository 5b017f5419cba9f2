"""People with phones, and messages to them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.campaigns.models import Campaign, Message
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.rules.handover import Outgoing
from crm.campaigns.rules.stages import Content
from crm.campaigns.services import drafting, launching
from crm.ids import new_id
from crm.prospects.models import Consent, Prospect
from crm.prospects.rules import ConsentChannel, Purpose
from tests.factories import Make

PUBLIC_URL = "http://127.0.0.1:8000"


class Texting:
    """`texting.person()`, `texting.message(person)`, `texting.campaign()`."""

    def __init__(self, session: Session, make: Make) -> None:
        self.session, self.make = session, make
        self.writer = make.user(Role.VOLUNTEER)

    def says(self, phone: str, given: bool, purpose: Purpose = Purpose.SERVICE, at: datetime | None = None) -> Consent:
        moment = at or clock.now() - timedelta(days=30)
        row = Consent(
            town_id=self.make.town.id,
            phone=phone,
            purpose=purpose,
            given=given,
            channel=ConsentChannel.PAPER,
            at=moment,
            words="Phiếu số 12" if given else None,
            recorded_at=moment,
            recorded_by_id=self.writer.id,
        )
        return self.make.add(row)  # type: ignore[no-any-return]

    def person(self, name: str = "Nguyễn Thị Hoa", *, agrees: bool = True, **fields: Any) -> Prospect:
        person = self.make.prospect(name, **{"phone": self.make.phone(), **fields})
        if person.phone and agrees:
            for purpose in Purpose:
                self.says(person.phone, True, purpose)
        return person

    def message(self, person: Prospect, **fields: Any) -> Message:
        now = clock.now()
        values: dict[str, Any] = {
            "town_id": person.town_id,
            "reminder": f"test {self.make.phone()}",
            "local_day": clock.today(),
            "one_a_day": False,
            "purpose": Purpose.SERVICE,
            "phone": person.phone,
            "prospect_id": person.id,
            "body": "Hen gap ba Hoa",
            "segments": 1,
            "not_before": now - timedelta(minutes=1),
            "expires_at": now + timedelta(hours=8),
            "made_at": now,
        }
        return self.make.add(Message(**values | fields))  # type: ignore[no-any-return]

    def sending(self, person: Prospect, **fields: Any) -> Message:
        values = {"claimed_at": clock.now(), "claim_id": new_id(), "attempts": 1}
        return self.message(person, state=Delivery.SENDING, **values | fields)

    def campaign(self, text: str = "Mời {xung_ho} {ten} tham gia", **fields: Any) -> Campaign:
        content = Content(**{"name": "Tháng 10", "text": text, "purpose": Purpose.SERVICE, **fields})
        by = self.make.user(Role.ORGANISER)
        return drafting.draft_campaign(self.session, self.make.town.id, content, by_id=by.id, at=clock.now())

    def launch(self, campaign: Campaign) -> int:
        return launching.launch(
            self.session, campaign, public_url=PUBLIC_URL, by_id=campaign.created_by_id, at=clock.now()
        )


@pytest.fixture
def texting(session: Session, make: Make) -> Texting:
    return Texting(session, make)


@pytest.fixture
def outgoing() -> Callable[[Message], Outgoing]:
    return lambda one: Outgoing(one.town_id, one.id, one.phone or "", one.body, one.claim_id, one.attempts)
