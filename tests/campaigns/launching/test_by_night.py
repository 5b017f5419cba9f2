"""What the organiser sees of a campaign around 22:00 and 07:00."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.campaigns.models import Campaign
from crm.campaigns.rules.hours import LEGAL_HOURS
from crm.campaigns.rules.stages import Stage
from tests.campaigns.conftest import Texting
from tests.campaigns.launching.test_launching import change
from tests.campaigns.launching.test_pages import SignedIn, follow, only

DAY = date(2019, 10, 15)
LAST_SECONDS = clock.at(DAY, 21, 59) + timedelta(seconds=58)
CLOSED = clock.at(DAY, 22)
NEXT_DAY = date(2019, 10, 16)
OPEN_AGAIN = clock.at(NEXT_DAY, 7)

AtTime = Callable[[datetime], object]


def campaign_of_one(texting: Texting) -> Campaign:
    texting.person()
    return texting.campaign()


@pytest.mark.parametrize(
    ("moment", "until"),
    [(LAST_SECONDS, None), (CLOSED, OPEN_AGAIN), (OPEN_AGAIN - timedelta(seconds=1), OPEN_AGAIN), (OPEN_AGAIN, None)],
)
def test_until_when_messages_wait(moment: datetime, until: datetime | None) -> None:
    assert LEGAL_HOURS.waits_until(moment) == until


def test_a_running_campaign_says_by_night_when_it_goes_on(
    texting: Texting, signed_in: SignedIn, at_time: AtTime
) -> None:
    campaign = campaign_of_one(texting)
    texting.launch(campaign)
    for moment, sleeps in ((LAST_SECONDS, False), (CLOSED, True), (OPEN_AGAIN, False)):
        at_time(moment)
        page = signed_in(Role.ORGANISER).get(f"/campaigns/{campaign.id}").get_data(as_text=True)
        assert ("tự gửi tiếp lúc 07:00, 16/10/2019" in page) is sleeps
        assert ("máy vẫn làm tiếp" in page) is not sleeps


def test_what_is_launched_by_night_says_when_it_begins(texting: Texting, signed_in: SignedIn, at_time: AtTime) -> None:
    campaign = campaign_of_one(texting)
    for moment, told in ((LAST_SECONDS, False), (CLOSED + timedelta(minutes=5), True)):
        at_time(moment)
        page = follow(signed_in(Role.ORGANISER), f"/campaigns/{campaign.id}/check")
        assert ("đợt này bắt đầu lúc 07:00, 16/10/2019" in page) is told


def test_a_last_day_that_ends_tonight_is_over_after_hours(
    session: Session, texting: Texting, signed_in: SignedIn, at_time: AtTime
) -> None:
    campaign = campaign_of_one(texting)
    change(session, campaign, last_day=DAY)
    at_time(LAST_SECONDS)
    assert "Hạn cuối đã hết" not in follow(signed_in(Role.ORGANISER), f"/campaigns/{campaign.id}/check")
    at_time(CLOSED)
    assert "Hạn cuối đã hết" in follow(signed_in(Role.ORGANISER), f"/campaigns/{campaign.id}/check")
    assert "Hạn cuối đã hết" in follow(signed_in(Role.ORGANISER), f"/campaigns/{campaign.id}/launch")
    assert only(session).stage is Stage.DRAFT


@pytest.mark.parametrize(("moment", "to"), [(CLOSED, OPEN_AGAIN), (OPEN_AGAIN, None)])
def test_a_time_that_is_past_is_moved_by_one_tap_to_one_that_is_not(
    session: Session, texting: Texting, signed_in: SignedIn, at_time: AtTime, moment: datetime, to: datetime | None
) -> None:
    campaign = campaign_of_one(texting)
    change(session, campaign, scheduled_for=clock.at(DAY, 12))
    at_time(moment)
    organiser = signed_in(Role.ORGANISER)
    assert "Giờ đã chọn đã qua" in follow(organiser, f"/campaigns/{campaign.id}/check")
    assert "Giờ đã chọn đã qua" not in follow(organiser, f"/campaigns/{campaign.id}/mend", how="hours")
    assert only(session).scheduled_for == to
