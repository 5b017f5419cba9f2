"""Each message is handed over at most once, to people who agree, in the hours that the law allows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time

import pytest
from sqlalchemy import select, true
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.rules import Role
from crm.campaigns import queries
from crm.campaigns.models import Campaign, CampaignStep, Message, SmsSettings
from crm.campaigns.results.queries import tally
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.rules.handover import Accepted, Outgoing
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.rules.stages import Stage, Step
from crm.campaigns.services import dispatching, launching, opting_out
from crm.db import db
from crm.errors import RuleBroken
from crm.prospects.lists.narrowing import Narrowing
from crm.prospects.lists.rules import Sharing
from crm.prospects.lists.services.segments import delete_segment, save_segment
from crm.prospects.rules import ConsentChannel, Purpose
from tests.campaigns.conftest import PUBLIC_URL, Texting

TEN = clock.at(date(2019, 10, 15), 10)


def claim(session: Session, at: datetime = TEN, at_most: int = 20) -> list[Outgoing]:
    claimed = dispatching.claim(session, at_most=at_most, at=at)
    session.expire_all()
    return claimed


# --- campaigns ----------------------------------------------------------------------------------------------------


def rows_of(session: Session, campaign: Campaign) -> list[Message]:
    return list(session.scalars(select(Message).where(Message.campaign_id == campaign.id)))


def test_a_launch_freezes_who_gets_it_and_who_does_not_and_why(session: Session, texting: Texting) -> None:
    texting.person("Nguyễn Thị An", birth_year=1960, sex="female")
    shared = texting.person("Lê Văn Bình")
    texting.person("Lê Văn Chung", phone=shared.phone, agrees=False)
    texting.person("Phạm Thị Dung", phone=None)
    texting.person("Phạm Thị Giang", phone=None, other_phone="+842373824000")
    texting.person("Trần Văn Hải", agrees=False)
    gone = texting.person("Vũ Thị Khuê")
    texting.says(str(gone.phone), False, Purpose.PROMOTION, at=clock.now())
    campaign = texting.campaign(purpose=Purpose.PROMOTION)
    before = launching.preflight(session, campaign, public_url=PUBLIC_URL, at=clock.now())
    assert (before.people, before.messages) == (7, 2)
    assert before.excluded == {
        Reason.SAME_PHONE: 1,
        Reason.NO_PHONE: 1,
        Reason.NOT_MOBILE: 1,
        Reason.NO_CONSENT: 1,
        Reason.OPTED_OUT: 1,
    }
    assert before.accented_segments > before.plain_segments == before.segments
    assert before.cost == before.segments * 750
    assert texting.launch(campaign) == 2
    rows = rows_of(session, campaign)
    assert {row.reason: row.state for row in rows if row.reason} == dict.fromkeys(before.excluded, Delivery.EXCLUDED)
    queued = [row.body for row in rows if row.state is Delivery.QUEUED]
    assert any(body.startswith("[QC] Moi ba An tham gia Tu choi: http://127.0.0.1:8000/o/") for body in queued)
    assert sum(row.segments for row in rows) == before.segments


def test_a_household_with_one_phone_gets_one_message(session: Session, texting: Texting) -> None:
    first = texting.person()
    for name in ("Lê Thị Hai", "Lê Thị Ba"):
        texting.person(name, phone=first.phone, agrees=False)
    campaign = texting.campaign()
    assert texting.launch(campaign) == 1
    assert len(claim(session)) == 1
    assert claim(session) == []


def test_a_campaign_is_not_launched_twice(session: Session, texting: Texting) -> None:
    texting.person()
    campaign = texting.campaign()
    texting.launch(campaign)
    with pytest.raises(RuleBroken):
        texting.launch(campaign)
    assert len(rows_of(session, campaign)) == 1


def test_a_campaign_that_nobody_would_get_is_refused(texting: Texting) -> None:
    texting.person(agrees=False)
    with pytest.raises(RuleBroken):
        texting.launch(texting.campaign())


def test_a_text_that_names_an_unknown_place_is_refused(texting: Texting) -> None:
    with pytest.raises(RuleBroken) as refused:
        texting.campaign("Chào {tuoi}")
    assert refused.value.field == "text"


def test_a_paused_campaign_sends_nothing_and_goes_on_where_it_stopped(session: Session, texting: Texting) -> None:
    for _ in range(3):
        texting.person()
    campaign = texting.campaign()
    texting.launch(campaign)
    first = claim(session, at_most=1)
    launching.pause(session, campaign, by_id=None, at=TEN)
    assert claim(session) == []
    assert dispatching.mark_called(session, first, TEN)[first[0].id] is Reason.PAUSED
    launching.resume(session, campaign, by_id=None, at=TEN)
    assert len(claim(session)) == 2


def test_what_was_claimed_and_not_called_counts_as_waiting(session: Session, texting: Texting) -> None:
    for _ in range(3):
        texting.person()
    campaign = texting.campaign()
    texting.launch(campaign)
    first, second = claim(session, at_most=2)
    dispatching.mark_called(session, [first], TEN)
    launching.pause(session, campaign, by_id=None, at=TEN)
    told = tally(session, campaign, true(), 750)
    assert (told.left, told.waiting) == (1, 2)
    query = select(CampaignStep.facts).where(CampaignStep.kind == Step.PAUSED)
    assert session.scalars(query).one() == {"left": 1, "waiting": 2}
    assert dispatching.mark_called(session, [second], TEN)[second.id] is Reason.PAUSED


def test_a_cancelled_campaign_calls_off_what_has_not_left(session: Session, texting: Texting) -> None:
    for _ in range(3):
        texting.person()
    campaign = texting.campaign()
    texting.launch(campaign)
    first = claim(session, at_most=1)
    assert launching.cancel(session, campaign, TEN) == 2
    assert claim(session) == []
    assert dispatching.mark_called(session, first, TEN)[first[0].id] is Reason.CALLED_OFF


def test_a_campaign_with_nothing_left_to_send_has_finished(
    session: Session, texting: Texting, outgoing: Callable[[Message], Outgoing]
) -> None:
    texting.person()
    campaign = texting.campaign()
    texting.launch(campaign)
    assert dispatching.sweep(session, TEN) == 0
    dispatching.record(session, [(one, Accepted("SM1")) for one in claim(session)], TEN)
    dispatching.sweep(session, TEN)
    assert campaign.stage is Stage.DONE


def test_the_filter_narrows_the_audience(session: Session, texting: Texting) -> None:
    from crm.prospects.rules import Ground

    texting.person("Lê Thị An", stage="interested")
    texting.make.standing(texting.person("Lê Thị Bé"), Ground.POOR)
    ward = texting.make.ward()

    def count(segment: dict[str, str]) -> int:
        return launching.preflight(session, texting.campaign(segment=segment), public_url="", at=TEN).people

    assert count({}) == 2
    assert count({"stage": "interested"}) == 1
    assert count({"standing": "poor"}) == count({"standing": "other"}) == 1
    assert count({"place": str(ward.id)}) == 2
    assert count({"place": str(texting.make.ward("14815@2019-10-15").id)}) == 0


# --- saying no ----------------------------------------------------------------------------------------------------


def test_the_link_in_a_message_stops_what_waits_and_what_comes(session: Session, texting: Texting) -> None:
    person = texting.person()
    waiting = texting.message(person)
    token = opting_out.links_for(session, person.town_id, [str(person.phone)] * 2, TEN)[str(person.phone)]
    assert opting_out.links_for(session, person.town_id, [str(person.phone)], TEN) == {str(person.phone): token}
    link = queries.link_with(session, token)
    assert link is not None
    opting_out.use_link(session, link, list(Purpose), TEN)
    assert (waiting.state, waiting.reason) == (Delivery.CANCELLED, Reason.OPTED_OUT)
    texting.person("Lê Thị Mới", phone=person.phone, agrees=False)
    with pytest.raises(RuleBroken):
        texting.launch(texting.campaign())


def test_a_no_to_promotions_leaves_reminders_alone(session: Session, texting: Texting) -> None:
    person = texting.person()
    opting_out.withdraw(
        session,
        person.town_id,
        str(person.phone),
        at=TEN,
        channel=ConsentChannel.HOTLINE,
        purposes=[Purpose.PROMOTION],
    )
    texting.message(person)
    assert len(claim(session)) == 1


def test_the_database_refuses_hours_outside_the_law(session: Session, texting: Texting) -> None:
    from sqlalchemy.exc import IntegrityError

    session.add(SmsSettings(town_id=texting.make.town.id, opens=time(6)))
    with pytest.raises(IntegrityError):
        session.flush()
    db.session.rollback()


def test_a_saved_list_is_the_audience_within_the_sight_of_whoever_launches(session: Session, texting: Texting) -> None:
    make = texting.make
    texting.person("Lê Thị An", stage="interested")
    texting.person("Lê Thị Bé", stage="new")
    office, lead = make.user(Role.MANAGER), make.user(Role.LEAD, place_id=make.ward("14815@2019-10-15").id)
    narrowing = Narrowing.from_args({"stage": "interested"})
    saved = save_segment(session, narrowing, "", name="Quan tâm", sharing=Sharing.TOWN, by=office, at=TEN)
    campaign = texting.campaign(segment={"list": str(saved.id)})

    def count(who: User) -> int:
        return launching.preflight(session, campaign, public_url="", at=TEN, by_id=who.id).people

    assert (count(office), count(lead)) == (1, 0)
    assert launching.launch(session, campaign, public_url="", by_id=office.id, at=TEN) == 1
    late = texting.campaign(segment={"list": str(saved.id)})
    delete_segment(session, saved.id, by=office, at=TEN)
    with pytest.raises(RuleBroken):
        launching.launch(session, late, public_url="", by_id=office.id, at=TEN)
