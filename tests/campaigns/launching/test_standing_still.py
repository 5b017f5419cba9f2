"""However long a campaign waits for a person, what it was to send is not lost; only a last day ends it, and that is told."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock, stored
from crm.accounts.rules import Role
from crm.campaigns.models import Campaign, CampaignStep, Message
from crm.campaigns.restored import services as restored
from crm.campaigns.restored.models import RestoreCheck
from crm.campaigns.restored.rules import CheckState
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.rules.stages import KEEPS_TRYING, Stage, Step
from crm.campaigns.services import dispatching, launching, sending
from crm.ids import new_id
from tests.campaigns.conftest import Texting
from tests.campaigns.launching.test_launching import change
from tests.campaigns.launching.test_pages import SignedIn

TEN = clock.at(date(2019, 10, 15), 10)
LATER = TEN + KEEPS_TRYING + timedelta(days=2)


def states(session: Session, campaign: Campaign) -> list[Delivery]:
    session.expire_all()
    return list(session.scalars(select(Message.state).where(Message.campaign_id == campaign.id)))


def launched(session: Session, texting: Texting, *, scheduled_for: datetime | None = None) -> Campaign:
    texting.person()
    campaign = texting.campaign()
    change(session, campaign, scheduled_for=scheduled_for)
    texting.launch(campaign)
    return campaign


def test_a_paused_campaign_loses_nothing_and_goes_on_in_one_step(session: Session, texting: Texting) -> None:
    campaign = launched(session, texting)
    launching.pause(session, campaign, by_id=None, at=TEN)
    dispatching.sweep(session, LATER)
    assert states(session, campaign) == [Delivery.QUEUED]
    assert campaign.stage is Stage.PAUSED
    launching.resume(session, campaign, by_id=None, at=LATER)
    assert campaign.expires_at == LATER + KEEPS_TRYING
    assert len(dispatching.claim(session, at_most=5, at=LATER)) == 1


def test_a_missed_time_is_not_too_late_after_many_days(session: Session, texting: Texting) -> None:
    campaign = launched(session, texting, scheduled_for=TEN + timedelta(hours=1))
    dispatching.sweep(session, LATER)  # before anybody has noticed that its time is past
    launching.begin_due(session, LATER)
    dispatching.sweep(session, LATER)
    assert campaign.stage is Stage.MISSED
    launching.resume(session, campaign, by_id=None, at=LATER)
    assert len(dispatching.claim(session, at_most=5, at=LATER)) == 1


def test_what_stood_still_with_the_machine_waits_even_if_the_sweep_comes_first(
    session: Session, texting: Texting
) -> None:
    campaign = launched(session, texting)
    stored.write(session, dispatching.LOOKED, (TEN + timedelta(minutes=1)).isoformat())
    session.flush()
    dispatching.sweep(session, LATER)
    assert states(session, campaign) == [Delivery.QUEUED]
    assert campaign.stage is Stage.PAUSED
    assert campaign.stood_still_since == TEN + timedelta(minutes=1)


def test_a_running_campaign_still_ends_and_tells_so(session: Session, texting: Texting) -> None:
    campaign = launched(session, texting)
    dispatching.claim(session, at_most=0, at=LATER - timedelta(minutes=1))
    dispatching.sweep(session, LATER)
    assert states(session, campaign) == [Delivery.EXPIRED]
    assert campaign.stage is Stage.DONE
    told = session.scalars(select(CampaignStep).where(CampaignStep.kind == Step.EXPIRED)).one()
    assert (told.campaign_id, told.facts["expired"]) == (campaign.id, 1)


def test_the_last_day_ends_a_paused_campaign_too(session: Session, texting: Texting) -> None:
    texting.person()
    campaign = texting.campaign()
    change(session, campaign, last_day=date(2019, 10, 16))
    texting.launch(campaign)
    launching.pause(session, campaign, by_id=None, at=TEN)
    dispatching.sweep(session, LATER)
    assert states(session, campaign) == [Delivery.EXPIRED]
    assert campaign.stage is Stage.DONE


def test_after_a_restore_a_campaign_waits_for_the_operator_however_old_the_backup(
    session: Session, texting: Texting
) -> None:
    campaign = launched(session, texting)
    town_id = campaign.town_id
    sending.hold_everything(session, [town_id], LATER)
    session.add(
        RestoreCheck(
            town_id=town_id, id=new_id(), since=TEN, state=CheckState.READY, touched_at=LATER, started_at=LATER
        )
    )
    session.flush()
    dispatching.claim(session, at_most=0, at=LATER)
    dispatching.sweep(session, LATER)
    assert states(session, campaign) == [Delivery.QUEUED]
    assert restored.release_all(session, town_id, at=LATER) == 1
    assert len(dispatching.claim(session, at_most=5, at=LATER)) == 1


def test_what_was_set_aside_after_a_restore_waits_too(session: Session, texting: Texting) -> None:
    campaign = launched(session, texting)
    message = session.scalars(select(Message).where(Message.campaign_id == campaign.id)).one()
    message.state, message.reason = Delivery.HELD, Reason.RESTORED
    session.flush()
    dispatching.claim(session, at_most=0, at=LATER)
    dispatching.sweep(session, LATER)
    assert states(session, campaign) == [Delivery.HELD]


@pytest.mark.parametrize(("last_day", "told"), [(None, "không mất tin nào"), (date(2019, 10, 16), "22:00, 16/10/2019")])
def test_the_page_of_a_paused_campaign_says_what_becomes_of_the_rest(
    session: Session, texting: Texting, signed_in: SignedIn, last_day: date | None, told: str
) -> None:
    texting.person()
    campaign = texting.campaign()
    change(session, campaign, last_day=last_day)
    texting.launch(campaign)
    launching.pause(session, campaign, by_id=None, at=TEN)
    page = signed_in(Role.ORGANISER).get(f"/campaigns/{campaign.id}").get_data(as_text=True)
    assert told in page


def test_the_story_tells_how_many_were_not_sent(session: Session, texting: Texting, signed_in: SignedIn) -> None:
    campaign = launched(session, texting)
    dispatching.claim(session, at_most=0, at=LATER - timedelta(minutes=1))
    dispatching.sweep(session, LATER)
    page = signed_in(Role.ORGANISER).get(f"/campaigns/{campaign.id}").get_data(as_text=True)
    assert "Đã hết hạn gửi" in page
    assert "1 tin không gửi" in page
