"""A campaign is looked at, approved, launched, moved and stopped; what was sent is always exact."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text, true, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

import tasks.launching
from crm import clock
from crm.accounts.rules import Role
from crm.campaigns.models import Campaign, CampaignStep, Message, SmsSettings
from crm.campaigns.preflight import approving, checking
from crm.campaigns.preflight.models import CampaignApproval, CampaignCheck, CheckPerson
from crm.campaigns.preflight.rules.states import Answer, CheckState
from crm.campaigns.preflight.rules.sums import Sums, Trouble, Warned
from crm.campaigns.results.queries import followed, trials
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.rules.stages import LATE_BY, Stage, Step
from crm.campaigns.services import dispatching, drafting, launching, sending, trying
from crm.campaigns.services.opting_out import withdraw
from crm.db import transaction
from crm.errors import Conflict, RuleBroken
from crm.prospects.rules import ConsentChannel, Purpose
from tests.campaigns.conftest import PUBLIC_URL, Texting

SignedIn = Callable[..., FlaskClient]
TEN = clock.at(date(2019, 10, 15), 10)
HOUR, PROMOTION = timedelta(hours=1), Purpose.PROMOTION


def looked_at(session: Session, campaign: Campaign, at: Any = TEN) -> CampaignCheck:
    check = checking.ask(session, campaign, by_id=campaign.created_by_id, at=at)
    checking.make_now(session, campaign, check, public_url=PUBLIC_URL, at=at)
    return check


def change(session: Session, campaign: Campaign, **values: Any) -> None:
    drafting.change(session, campaign, values, version=None, at=TEN)


def settings(session: Session, texting: Texting, **values: Any) -> SmsSettings:
    found = sending.settings_of(session, texting.make.town.id)
    for name, value in values.items():
        setattr(found, name, value)
    return texting.make.add(found)  # type: ignore[no-any-return]


def steps(session: Session, campaign: Campaign) -> list[Step]:
    query = select(CampaignStep.kind).where(CampaignStep.campaign_id == campaign.id)
    return list(session.scalars(query.order_by(CampaignStep.at, CampaignStep.id)))


def test_a_check_keeps_everybody_with_their_own_text_and_what_is_wrong(session: Session, texting: Texting) -> None:
    texting.person("Nguyễn Thị An", birth_year=1960, sex="female")
    texting.person("Trần Văn Hải", agrees=False)
    campaign = texting.campaign(
        "Mời {xung_ho} {ten} ở {phuong}, chỉ từ {so_tien} một tháng", accented=True, purpose=PROMOTION
    )
    check = looked_at(session, campaign)
    rows = session.scalars(select(CheckPerson).where(CheckPerson.check_id == check.id)).all()
    assert [row.reason for row in rows] == [None, Reason.NO_CONSENT]
    assert rows[0].body.startswith("[QC] Mời bà An ở phường Ba Đình, chỉ từ 138.600 đ một tháng")
    assert rows[0].warnings == [Warned.COSTLY, Warned.LONG]
    assert rows[0].segments > rows[0].other_segments
    sums = Sums.from_json(check.facts)
    assert (check.state, sums.people, sums.messages) == (CheckState.READY, 2, 1)
    assert sums.costly["ờ"] == 1


def test_somebody_whose_place_has_no_value_is_left_out(session: Session, texting: Texting) -> None:
    texting.person("Nguyễn Thị An")
    check = looked_at(session, texting.campaign("Gọi {phu_trach}"))
    assert Sums.from_json(check.facts).left_out() == {Reason.MISSING_VALUE: 1}


def test_it_is_told_which_word_is_missing_and_for_whom(session: Session, texting: Texting, signed_in: SignedIn) -> None:
    texting.person("Nguyễn Thị An")
    texting.person("Trần Văn Hải", volunteer_id=texting.make.user(Role.VOLUNTEER, full_name="Lê Thị Tình").id)
    campaign = texting.campaign("{ten} ơi, gọi {phu_trach}, số {dien_thoai}")
    check = looked_at(session, campaign)
    assert Sums.from_json(check.facts).missing == {"phu_trach": 1, "dien_thoai": 2}
    page = signed_in(Role.ORGANISER).get(f"/campaigns/{campaign.id}/preflight?problem=missing_value").text
    rows = page.split("<tbody>")[1]
    assert "<strong>cộng tác viên, điện thoại cộng tác viên</strong>" in rows
    assert "<strong>điện thoại cộng tác viên</strong>" in rows
    assert "thiếu điện thoại cộng tác viên: 2" in page


def test_a_launch_takes_just_what_was_looked_at(session: Session, texting: Texting) -> None:
    texting.person("Nguyễn Thị An")
    campaign = texting.campaign(purpose=PROMOTION)
    check = looked_at(session, campaign)
    texting.person("Người đến sau")
    assert texting.launch(campaign) == 1
    assert (campaign.check_id, campaign.price) == (check.id, 750)
    assert session.scalar(select(func.count()).select_from(CheckPerson)) == 0
    body = session.scalars(select(Message.body).where(Message.campaign_id == campaign.id)).one()
    assert "/o/" in body
    assert "xxxxxxxxxxx" not in body
    assert steps(session, campaign) == [Step.LAUNCHED]


def test_a_change_asks_for_a_new_look_and_two_writers_do_not_overwrite_each_other(
    session: Session, texting: Texting
) -> None:
    texting.person("Nguyễn Thị An")
    campaign = texting.campaign()
    check, version = looked_at(session, campaign), campaign.version
    drafting.change(session, campaign, {"accented": True}, version=version, at=TEN)
    assert not checking.holds(check, campaign, TEN)
    with pytest.raises(Conflict):
        drafting.change(session, campaign, {"accented": False}, version=version, at=TEN)
    texting.launch(campaign)
    with pytest.raises(Conflict):
        change(session, campaign, text="Khác")


def test_a_control_group_gets_nothing_and_is_kept(session: Session, texting: Texting) -> None:
    for _ in range(20):
        texting.person()
    campaign = texting.campaign()
    change(session, campaign, control_percent=50)
    assert texting.launch(campaign) == 10
    held = select(func.count()).where(Message.campaign_id == campaign.id, Message.reason == Reason.HELD_BACK)
    assert session.scalar(held) == 10


def test_a_number_on_a_list_did_not_answer_the_campaign(session: Session, texting: Texting) -> None:
    said, listed = texting.person(), texting.person()
    campaign = texting.campaign()
    texting.launch(campaign)
    session.execute(update(Message).values(state=Delivery.DELIVERED, claimed_at=TEN))
    for person, channel in ((said, ConsentChannel.HOTLINE), (listed, ConsentChannel.DO_NOT_CALL)):
        withdraw(session, person.town_id, person.phone or "", at=TEN + HOUR, channel=channel)
    found = followed(session, campaign, true())
    assert found
    assert found.opted_out == 1


# --- money ---------------------------------------------------------------------------------------------------------


def test_a_campaign_does_not_cost_more_than_it_may(session: Session, texting: Texting) -> None:
    texting.person()
    campaign = texting.campaign()
    change(session, campaign, budget=700)
    check = looked_at(session, campaign)
    assert checking.troubles(session, campaign, Sums.from_json(check.facts), TEN)[0] is Trouble.OVER_BUDGET
    with pytest.raises(RuleBroken) as refused:
        texting.launch(campaign)
    assert refused.value.code == "over_budget"
    change(session, campaign, budget=800)
    assert texting.launch(campaign) == 1


def test_all_campaigns_of_a_month_keep_the_towns_budget(session: Session, texting: Texting) -> None:
    settings(session, texting, month_budget=1_500)
    texting.person()
    for _ in range(2):
        assert texting.launch(texting.campaign()) == 1
    with pytest.raises(RuleBroken) as refused:
        texting.launch(texting.campaign())
    assert refused.value.code == "over_month_budget"


@pytest.mark.committed
def test_two_campaigns_at_once_keep_the_budget_of_the_month(app: Flask, session: Session, texting: Texting) -> None:
    settings(session, texting, month_budget=1_000)
    texting.person()
    both, start, done = [texting.campaign(), texting.campaign()], threading.Barrier(2), list[str]()
    keys = [(one.town_id, one.id) for one in both]
    by_id = both[0].created_by_id
    session.commit()

    def launch(key: tuple[UUID, UUID]) -> None:
        start.wait()
        with app.app_context():
            try:
                with transaction() as own:
                    campaign = own.get_one(Campaign, key)
                    launching.launch(own, campaign, public_url=PUBLIC_URL, by_id=by_id, at=TEN)
                    done.append("launched")
            except RuleBroken as refused:
                done.append(str(refused.code))

    threads = [threading.Thread(target=launch, args=(key,)) for key in keys]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(done) == ["launched", "over_month_budget"]


# --- two people ----------------------------------------------------------------------------------------------------


def test_above_the_limit_a_second_person_launches_it_for_the_first(session: Session, texting: Texting) -> None:
    settings(session, texting, approve_messages=1)
    for _ in range(2):
        texting.person()
    campaign = texting.campaign()
    looked_at(session, campaign)
    with pytest.raises(Conflict) as refused:
        texting.launch(campaign)
    assert refused.value.code == "needs_second"
    asked = approving.ask(session, campaign, words="Trước thứ sáu", by_id=campaign.created_by_id, at=TEN)
    with pytest.raises(RuleBroken, match="người khác duyệt"):
        approving.approve(session, asked, by_id=campaign.created_by_id, at=TEN)
    other = texting.make.user(Role.MANAGER)
    assert approving.approve(session, asked, by_id=other.id, at=TEN) == 2
    assert (campaign.stage, campaign.launched_by_id) == (Stage.RUNNING, campaign.created_by_id)
    assert steps(session, campaign) == [Step.ASKED, Step.APPROVED, Step.LAUNCHED]
    session.execute(text("set constraints all immediate"))


def test_any_change_makes_an_approval_void(session: Session, texting: Texting) -> None:
    texting.person()
    campaign = texting.campaign()
    looked_at(session, campaign)
    asked = approving.ask(session, campaign, words=None, by_id=campaign.created_by_id, at=TEN)
    with pytest.raises(Conflict):
        approving.ask(session, campaign, words=None, by_id=campaign.created_by_id, at=TEN)
    change(session, campaign, name="Tên khác")
    session.refresh(asked)
    assert asked.answer is Answer.VOID
    with pytest.raises(Conflict):
        approving.approve(session, asked, by_id=texting.make.user(Role.MANAGER).id, at=TEN)


def test_a_no_says_why_and_the_campaign_stays_a_draft(session: Session, texting: Texting) -> None:
    texting.person()
    campaign = texting.campaign()
    looked_at(session, campaign)
    asked = approving.ask(session, campaign, words=None, by_id=campaign.created_by_id, at=TEN)
    approving.refuse(session, asked, words="Chữ còn sai", by_id=texting.make.user(Role.MANAGER).id, at=TEN)
    assert (campaign.stage, asked.answer, asked.answer_words) == (Stage.DRAFT, Answer.REFUSED, "Chữ còn sai")


def test_the_database_refuses_a_launch_above_the_limit_that_nobody_else_approved(
    session: Session, texting: Texting
) -> None:
    for _ in range(2):
        texting.person()
    campaign = texting.campaign()
    texting.launch(campaign)
    settings(session, texting, approve_messages=1)
    with pytest.raises(IntegrityError, match="nobody else approved"):
        session.execute(text("set constraints all immediate"))


@pytest.mark.parametrize("decided_by", ["the same person", "nobody"])
def test_the_database_refuses_an_approval_by_whoever_asked(session: Session, texting: Texting, decided_by: str) -> None:
    texting.person()
    campaign = texting.campaign()
    looked_at(session, campaign)
    asked = approving.ask(session, campaign, words=None, by_id=campaign.created_by_id, at=TEN)
    asked.answer, asked.decided_at = Answer.APPROVED, TEN
    asked.decided_by_id = asked.asked_by_id if decided_by == "the same person" else None
    with pytest.raises(IntegrityError, match="second"):
        session.flush()


def test_the_database_keeps_what_a_launched_campaign_says(session: Session, texting: Texting) -> None:
    texting.person()
    campaign = texting.campaign()
    texting.launch(campaign)
    campaign.text = "Khác"
    with pytest.raises(IntegrityError, match="was launched"):
        session.flush()


# --- time ----------------------------------------------------------------------------------------------------------


def scheduled(session: Session, texting: Texting) -> Campaign:
    texting.person()
    campaign = texting.campaign()
    change(session, campaign, scheduled_for=TEN + HOUR)
    texting.launch(campaign)
    return campaign


def test_a_scheduled_campaign_waits_for_its_time(session: Session, texting: Texting) -> None:
    campaign = scheduled(session, texting)
    assert campaign.stage is Stage.SCHEDULED
    assert launching.begin_due(session, TEN) == 0
    assert dispatching.claim(session, at_most=5, at=TEN + 2 * HOUR) == []
    assert launching.begin_due(session, TEN + HOUR) == 1
    assert len(dispatching.claim(session, at_most=5, at=TEN + HOUR)) == 1


def test_a_missed_time_waits_for_a_person_who_lets_it_go_on(session: Session, texting: Texting) -> None:
    campaign = scheduled(session, texting)
    late = TEN + HOUR + LATE_BY + timedelta(minutes=1)
    assert launching.begin_due(session, late) == 0
    assert campaign.stage is Stage.MISSED
    assert dispatching.claim(session, at_most=5, at=late) == []
    launching.resume(session, campaign, by_id=campaign.created_by_id, at=late)
    assert len(dispatching.claim(session, at_most=5, at=late)) == 1
    assert steps(session, campaign) == [Step.SCHEDULED, Step.MISSED, Step.RESUMED]


def test_a_missed_time_is_moved(session: Session, texting: Texting) -> None:
    campaign = scheduled(session, texting)
    late = TEN + 3 * HOUR
    launching.begin_due(session, late)
    for wrong in (late - HOUR, clock.at(date(2019, 10, 15), 23)):
        with pytest.raises(RuleBroken):
            launching.move(session, campaign, wrong, by_id=None, at=late)
    launching.move(session, campaign, late + HOUR, by_id=None, at=late)
    assert campaign.stage is Stage.SCHEDULED
    assert launching.begin_due(session, late + HOUR) == 1
    assert len(dispatching.claim(session, at_most=5, at=late + HOUR)) == 1


def test_a_scheduled_campaign_that_is_paused_waits_for_its_time_again(session: Session, texting: Texting) -> None:
    campaign = scheduled(session, texting)
    launching.pause(session, campaign, by_id=None, at=TEN)
    assert launching.begin_due(session, TEN + HOUR) == 0
    launching.resume(session, campaign, by_id=None, at=TEN)
    assert campaign.stage is Stage.SCHEDULED


def test_nothing_leaves_after_the_last_day(session: Session, texting: Texting) -> None:
    texting.person()
    campaign = texting.campaign()
    change(session, campaign, last_day=date(2019, 10, 15))
    texting.launch(campaign)
    assert campaign.expires_at == clock.at(date(2019, 10, 15), 22)
    assert dispatching.claim(session, at_most=5, at=clock.at(date(2019, 10, 16), 8)) == []


# --- trials --------------------------------------------------------------------------------------------------------


def test_a_trial_goes_to_somebody_who_works_here_and_counts_in_no_result(session: Session, texting: Texting) -> None:
    me = texting.make.user(Role.ORGANISER, phone="+84987654321")
    texting.person("Nguyễn Thị An", birth_year=1960, sex="female")
    campaign = texting.campaign()
    tried: dict[str, Any] = {"public_url": PUBLIC_URL, "by_id": me.id, "at": TEN}
    with pytest.raises(RuleBroken):
        trying.try_out(session, campaign, "0912 345 678", **tried)
    message = trying.try_out(session, campaign, "098 765 4321", **tried)
    assert message.body == "Moi ba An tham gia"
    [outgoing] = dispatching.claim(session, at_most=5, at=TEN)
    assert outgoing.id == message.id
    assert dispatching.mark_called(session, [outgoing], TEN) == {}
    assert texting.launch(campaign) == 1


def test_a_trial_to_a_number_that_said_no_does_not_leave(session: Session, texting: Texting) -> None:
    me = texting.make.user(Role.ORGANISER, phone="+84987654321")
    texting.says(str(me.phone), False, Purpose.SERVICE)
    trying.try_out(session, texting.campaign(), str(me.phone), public_url=PUBLIC_URL, by_id=me.id, at=TEN)
    assert dispatching.claim(session, at_most=5, at=TEN) == []


def test_a_trial_more_than_a_number_may_get_is_refused_and_called_off_with_its_campaign(
    session: Session, texting: Texting
) -> None:
    me = texting.make.user(Role.ORGANISER, phone="+84987654321")
    texting.person("Nguyễn Thị An")
    campaign = texting.campaign()
    tried: dict[str, Any] = {"public_url": PUBLIC_URL, "by_id": me.id, "at": TEN}
    first, *others = [trying.try_out(session, campaign, str(me.phone), **tried) for _n in range(3)]
    with pytest.raises(RuleBroken, match="10:00 16/10") as refused:
        trying.try_out(session, campaign, str(me.phone), **tried)
    assert refused.value.field == "phone"
    first.state, first.claimed_at = Delivery.DELIVERED, TEN
    session.flush()
    launching.cancel(session, campaign, TEN, by_id=me.id)
    assert [(one.state, one.reason) for one in others] == [(Delivery.CANCELLED, Reason.CALLED_OFF)] * 2
    assert trials(session, campaign) == [first], "what never left costs nothing"


def test_a_scheduled_campaign_begins_now_when_somebody_says_so(session: Session, texting: Texting) -> None:
    texting.person("Nguyễn Thị An")
    campaign = texting.campaign()
    campaign.scheduled_for = TEN + timedelta(days=1)
    texting.launch(campaign)
    assert dispatching.claim(session, at_most=5, at=TEN) == []
    launching.resume(session, campaign, by_id=None, at=TEN)
    assert campaign.stage is Stage.RUNNING
    assert len(dispatching.claim(session, at_most=5, at=TEN)) == 1
    launching.pause(session, campaign, by_id=None, at=TEN + HOUR)
    launching.resume(session, campaign, by_id=None, at=TEN + 2 * HOUR)
    assert campaign.stage is Stage.RUNNING, "the time it was first meant for is past"
    assert campaign.scheduled_for == TEN


# --- by a worker ---------------------------------------------------------------------------------------------------


@pytest.mark.committed
def test_a_large_campaign_is_launched_by_a_worker(
    app: Flask, session: Session, texting: Texting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "AT_ONCE", 2)
    monkeypatch.setattr(tasks.launching, "ring", lambda *_: True)
    for _ in range(4):
        texting.person()
    campaign = texting.campaign()
    assert texting.launch(campaign) == 0
    assert campaign.stage is Stage.PREPARING
    check = checking.latest(session, campaign)
    assert check is not None
    names = (str(check.town_id), str(check.id))
    session.commit()
    tasks.launching.launch_prepared()
    tasks.launching.resume()
    for _ in range(2):
        tasks.launching.check(*names)
        tasks.launching.launch_prepared()
        tasks.launching.begin_due()
    with transaction() as own:
        own.expire_all()
        again = own.get_one(Campaign, (campaign.town_id, campaign.id))
        assert again.stage is Stage.RUNNING
        sent = select(func.count()).where(Message.campaign_id == again.id, Message.state == Delivery.QUEUED)
        assert own.scalar(sent) == 4


def test_what_cannot_be_launched_by_a_worker_is_a_draft_again_and_says_why(
    session: Session, texting: Texting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "AT_ONCE", 0)
    texting.person(agrees=False)
    campaign = texting.campaign()
    texting.launch(campaign)
    check = checking.latest(session, campaign)
    assert check is not None
    assert not launching.prepared(session, campaign.town_id, campaign.id, at=TEN)
    checking.make_now(session, campaign, check, public_url=PUBLIC_URL, at=TEN)
    assert launching.prepared(session, campaign.town_id, campaign.id, at=TEN)
    assert (campaign.stage, campaign.launched_by_id) == (Stage.DRAFT, None)
    last = session.scalars(select(CampaignStep).where(CampaignStep.kind == Step.NOT_LAUNCHED)).one()
    assert "Không ai nhận được" in last.facts["words"]


def test_a_check_nobody_makes_is_found(session: Session, texting: Texting) -> None:
    texting.person()
    checking.ask(session, texting.campaign(), by_id=texting.make.user(Role.ORGANISER).id, at=TEN)
    assert len(session.scalars(checking.standing_still(TEN + timedelta(minutes=2))).all()) == 1
    assert session.scalars(checking.standing_still(TEN)).all() == []
    assert session.scalar(select(func.count()).select_from(CampaignApproval)) == 0
