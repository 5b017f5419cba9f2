"""Rules are rows: what a town changes holds at once, who shares a phone is told together, everybody once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.campaigns.models import Message
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.rules.hours import Hours
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.services import sending
from crm.campaigns.services.opting_out import withdraw
from crm.campaigns.services.sending import call_off
from crm.campaigns.templating.models import TemplateVersion
from crm.campaigns.templating.rules import Registered
from crm.campaigns.templating.services import add_template, register
from crm.db import transaction
from crm.errors import RuleBroken
from crm.participation.rules import Ending
from crm.prospects.models import Prospect
from crm.prospects.rules import ConsentChannel, Ground, Purpose
from crm.reminders import queries, services
from crm.reminders.models import ReminderRule, ReminderTold
from crm.reminders.rules import (
    ALL,
    FOLLOW_UP,
    PAYMENT_SOON,
    STANDING_ENDS,
    WIN_BACK,
    Event,
    Reminder,
    Stop,
    WhyNot,
    checked,
    named,
)
from crm.sponsors.services import pledge as promise
from crm.sponsors.services import receive
from tests.campaigns.conftest import Texting
from tests.reminders.test_reminders import NINE, TODAY, queue, queued, takes_part
from tests.sponsors.stories import sponsor

Browser = Callable[..., FlaskClient]


@pytest.fixture
def texting(session: Session, make: Any) -> Texting:
    return Texting(session, make)


def test_how_people_who_share_a_phone_are_spoken_to() -> None:
    assert named([("bà", "Hoa")]) == "bà Hoa"
    assert named([("bà", "Hoa"), ("ông", "Nam")]) == "bà Hoa và ông Nam"
    assert named([("bà", "Hoa")] * 3) == "gia đình"


@pytest.mark.parametrize(
    "wrong",
    [
        {"earliest": 3, "latest": 5},
        {"earliest": 121},
        {"hours": Hours(time(6), time(20))},
        {"hours": Hours(time(20), time(8))},
        {"text": "{so_tien} của {ten}"},
        {"text": "[QC] Mời {ten}"},
        {"event": Event.WIN_BACK},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(RuleBroken):
        checked(replace(PAYMENT_SOON, **wrong))


def test_two_of_a_household_are_told_together_and_three_are_the_family(session: Session, texting: Texting) -> None:
    first = texting.person("Nguyễn Thị Hoa", sex="female", birth_year=1960, next_contact_on=TODAY)
    texting.person("Lê Văn Nam", sex="male", birth_year=1958, phone=first.phone, agrees=False, next_contact_on=TODAY)
    many = texting.person("Trần Thị Một", next_contact_on=TODAY)
    for name in ("Trần Văn Hai", "Trần Văn Ba"):
        texting.person(name, phone=many.phone, agrees=False, next_contact_on=TODAY)
    assert [queue(session, texting) for _twice in range(2)] == [2, 0]
    bodies = {message.phone: message.body for message in queued(session)}
    assert "ba Hoa va ong Nam" in bodies[first.phone] or "ong Nam va ba Hoa" in bodies[first.phone]
    assert bodies[many.phone].startswith("Hen gap gia dinh ngay 15/10")
    assert session.scalar(select(func.count()).select_from(ReminderTold)) == 5


def test_when_one_of_two_is_done_the_other_is_told_alone(session: Session, texting: Texting) -> None:
    first = texting.person("Nguyễn Thị Hoa", sex="female", birth_year=1960, next_contact_on=TODAY)
    other = texting.person("Lê Văn Nam", sex="male", birth_year=1958, phone=first.phone, agrees=False)
    other.next_contact_on = TODAY
    session.flush()
    queue(session, texting)
    first.next_contact_on = TODAY + timedelta(days=30)
    session.flush()
    assert services.clear_done(session, first.town_id, at=NINE) == 1
    assert queue(session, texting) == 1
    old, new = sorted(queued(session), key=lambda one: one.state is Delivery.QUEUED)
    assert (old.state, old.reason, new.state) == (Delivery.CANCELLED, Reason.DONE_MEANWHILE, Delivery.QUEUED)
    assert new.body.startswith("Hen gap ong Nam")
    assert queue(session, texting) == 0


def test_who_comes_due_later_on_the_same_number_is_told_the_next_day(session: Session, texting: Texting) -> None:
    first = texting.person(next_contact_on=TODAY)
    queue(session, texting)
    texting.person("Lê Thị Hai", phone=first.phone, agrees=False, next_contact_on=TODAY)
    assert queue(session, texting) == 0
    assert queue(session, texting, TODAY + timedelta(days=1)) == 1


def test_what_could_not_leave_is_made_up_for_inside_its_days_only(session: Session, texting: Texting) -> None:
    texting.person(next_contact_on=TODAY)
    queue(session, texting)
    [message] = queued(session)
    message.state = Delivery.EXPIRED
    session.flush()
    assert queue(session, texting, TODAY + timedelta(days=2)) == 1, "the carrier was away for two days"
    for message in queued(session):
        message.state = Delivery.EXPIRED
    session.flush()
    assert queue(session, texting, TODAY + timedelta(days=3)) == 0, "three days later it makes no sense"


@pytest.mark.committed
def test_two_sweeps_at_once_tell_everybody_once(app: Flask, session: Session, texting: Texting) -> None:
    for _one in range(12):
        texting.person(next_contact_on=TODAY)
    town_id = texting.make.town.id
    session.commit()
    start, made = threading.Barrier(2), []

    def sweep() -> None:
        start.wait()
        with app.app_context(), transaction() as own:
            made.append(services.queue_due(own, town_id, today=TODAY, at=NINE))

    both = [threading.Thread(target=sweep) for _one in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(made) == [0, 12]


def test_a_bounded_number_is_queued_at_once_and_households_stay_whole(
    session: Session, texting: Texting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "AT_ONCE", 5)
    for _house in range(4):
        first = texting.person(next_contact_on=TODAY)
        for name in ("Lê Văn Hai", "Lê Văn Ba"):
            texting.person(name, phone=first.phone, agrees=False, next_contact_on=TODAY)
    assert queue(session, texting) == 4
    assert {message.body for message in queued(session)} == {queued(session)[0].body}


def test_a_sponsor_is_reminded_of_an_instalment_until_the_money_is_there(session: Session, texting: Texting) -> None:
    by = sponsor(texting.make)
    by.phone, by.contact_name = texting.make.phone(), "Nguyễn Văn Giám"
    made = promise(session, by, 10_500_000, due=TODAY + timedelta(days=5), by_id=None, on=TODAY, at=NINE)
    assert queue(session, texting) == 0, "nobody asked the sponsor yet"
    texting.says(by.phone, True)
    assert queue(session, texting) == 1
    [message] = queued(session)
    assert message.prospect_id is None
    assert message.body.startswith("Kinh gui Nguyen Van Giam: khoan ho tro BHXH tu nguyen 10.500.000")
    assert made.code in message.body
    receive(session, by, 10_500_000, reference="FT1", pledge=made, by_id=None, on=TODAY, at=NINE)
    assert services.clear_done(session, by.town_id, at=NINE) == 1
    assert queue(session, texting, TODAY + timedelta(days=1)) == 0


def test_somebody_who_lapsed_is_asked_back_once_unless_somebody_spoke_with_them(
    session: Session, texting: Texting
) -> None:
    gone, met, again = (texting.person(name, stage="lapsed") for name in ("Lê Thị Một", "Lê Thị Hai", "Lê Thị Ba"))
    for person in (gone, met, again):
        spell = takes_part(texting, person, TODAY - timedelta(days=40))
        spell.ended_on, spell.ended_as = TODAY - timedelta(days=40), Ending.LAPSED
    met.last_contact_at = clock.at(TODAY - timedelta(days=5))
    takes_part(texting, again, TODAY + timedelta(days=100), TODAY - timedelta(days=10))
    session.flush()
    assert queue(session, texting) == 1
    [message] = queued(session)
    assert (message.prospect_id, message.reminder) == (gone.id, WIN_BACK.code)


def test_a_certificate_that_ends_is_told_unless_another_follows(session: Session, texting: Texting) -> None:
    ends, renewed = texting.person("Lê Thị Một"), texting.person("Lê Thị Hai")
    for person in (ends, renewed):
        texting.make.standing(person, Ground.POOR, until=TODAY + timedelta(days=31))
    texting.make.standing(renewed, Ground.NEAR_POOR, since=TODAY + timedelta(days=31), until=None)
    assert queue(session, texting) == 1
    assert "14/11" in queued(session)[0].body


@pytest.mark.parametrize("days", [95, 61, -3])
def test_a_certificate_is_found_on_every_day_that_a_rule_may_name(
    session: Session, texting: Texting, days: int
) -> None:
    ends, later = texting.person("Lê Thị Một"), texting.person("Lê Thị Hai")
    texting.make.standing(ends, Ground.POOR, until=TODAY + timedelta(days=days + 1))
    texting.make.standing(later, Ground.POOR, until=TODAY + timedelta(days=days + 2))
    by = texting.make.user(Role.ORGANISER)
    wanted = replace(STANDING_ENDS, earliest=days, latest=days)
    services.change_rule(session, ends.town_id, wanted, by=by, at=NINE)
    assert queue(session, texting) == 1
    assert [one.prospect_id for one in queued(session)] == [ends.id]


@pytest.mark.parametrize("event", [Event.SPONSOR_ENDS, Event.SUPPORT_ENDS])
def test_what_only_lies_ahead_is_not_reminded_of_afterwards(event: Event) -> None:
    with pytest.raises(RuleBroken, match=r".*") as refused:
        checked(Reminder("own_1", "Xin chào {nguoi}", 3, -1, event))
    assert refused.value.field == "latest"
    assert checked(Reminder("own_1", "Xin chào {nguoi}", 3, 0, event))


def test_a_number_gets_one_reminder_a_day_the_more_urgent_first_and_the_other_the_next_day(
    session: Session, texting: Texting
) -> None:
    person = texting.person("Nguyễn Thị Hoa", next_contact_on=TODAY, stage="interested")
    takes_part(texting, person, TODAY + timedelta(days=10))
    other = texting.person("Lê Văn Nam", phone=person.phone, agrees=False, stage="joined")
    takes_part(texting, other, TODAY + timedelta(days=12))
    assert queue(session, texting) == 1
    assert [one.reminder for one in queued(session)] == ["follow_up"]
    whys = queries.why_counts(session, PAYMENT_SOON, person.town_id, TODAY, Prospect.id.is_not(None))
    assert whys == {WhyNot.TODAY: 2}
    assert queue(session, texting, TODAY + timedelta(days=1)) == 1
    assert [one.reminder for one in queued(session)] == ["follow_up", "payment_soon"]
    assert queue(session, texting, TODAY + timedelta(days=1)) == 0


def test_what_may_leave_today_for_the_last_time_goes_before_a_narrower_rule(session: Session, texting: Texting) -> None:
    person = texting.person("Nguyễn Thị Hoa", next_contact_on=TODAY, stage="interested")
    takes_part(texting, person, TODAY + timedelta(days=PAYMENT_SOON.latest))
    assert queue(session, texting) == 1
    assert [one.reminder for one in queued(session)] == ["payment_soon"], "the visit may still be told tomorrow"


def test_the_database_takes_one_reminder_of_a_purpose_for_a_number_and_day(session: Session, texting: Texting) -> None:
    person = texting.person()
    texting.message(person, reminder="visit", one_a_day=True)
    texting.message(person, reminder="link", one_a_day=False)
    with pytest.raises(IntegrityError, match="uq_message_one_a_day"), session.begin_nested():
        texting.message(person, reminder="payment", one_a_day=True)


def test_who_refused_while_a_reminder_waited_and_agrees_again_is_told(session: Session, texting: Texting) -> None:
    person = texting.person(next_contact_on=TODAY)
    town_id, phone = person.town_id, str(person.phone)
    assert queue(session, texting, hour=6) == 1
    withdraw(session, town_id, phone, at=clock.at(TODAY, 6, 57), channel=ConsentChannel.DOORSTEP)
    assert queue(session, texting, hour=7) == 0
    texting.says(phone, True, at=clock.at(TODAY, 6, 59))
    assert queue(session, texting, hour=7) == 1
    assert queue(session, texting, hour=7) == 0
    assert sorted(one.state for one in queued(session)) == [Delivery.CANCELLED, Delivery.QUEUED]


def test_what_an_operator_called_off_is_not_made_again(session: Session, texting: Texting) -> None:
    person = texting.person(next_contact_on=TODAY)
    queue(session, texting)
    waiting = Message.reminder == FOLLOW_UP.code
    assert call_off(session, person.town_id, waiting, Reason.CALLED_OFF, NINE) == 1
    assert queue(session, texting) == 0
    whys = queries.why_counts(session, FOLLOW_UP, person.town_id, TODAY, Prospect.id.is_not(None))
    assert whys == {WhyNot.CALLED_OFF: 1}


def test_who_is_not_told_stands_there_with_the_reason(session: Session, texting: Texting) -> None:
    texting.person("Lê Thị Một", phone=None, next_contact_on=TODAY)
    texting.person("Lê Thị Hai", agrees=False, next_contact_on=TODAY)
    no = texting.person("Lê Thị Ba", agrees=False, next_contact_on=TODAY)
    texting.says(str(no.phone), False)
    texting.person("Lê Thị Bốn", next_contact_on=TODAY)
    texting.person("Lê Thị Năm", next_contact_on=TODAY + timedelta(days=4))
    queue(session, texting)
    town_id, seen = texting.make.town.id, Prospect.id.is_not(None)
    whys = queries.why_counts(session, FOLLOW_UP, town_id, TODAY, seen)
    assert whys == {WhyNot.NO_PHONE: 1, WhyNot.NO_CONSENT: 1, WhyNot.OPTED_OUT: 1, WhyNot.TOLD: 1}
    assert queries.counts(session, FOLLOW_UP, town_id, TODAY, seen) == (0, 1, 4)


def test_a_changed_rule_holds_at_once_and_calls_off_what_waits(session: Session, texting: Texting) -> None:
    person = texting.person("Nguyễn Thị Hoa", sex="female", birth_year=1960, next_contact_on=TODAY)
    queue(session, texting)
    by, town_id = texting.make.user(Role.ORGANISER), person.town_id
    wanted = replace(FOLLOW_UP, text="Mai gặp {nguoi} nhé.")
    assert services.change_rule(session, town_id, wanted, by=by, at=NINE)
    assert not services.change_rule(session, town_id, wanted, by=by, at=NINE), "nothing changed"
    assert [one.reason for one in queued(session)] == [Reason.RULE_CHANGED]
    assert queue(session, texting) == 1
    assert "Mai gap ba Hoa nhe." in [one.body for one in queued(session)]
    assert services.change_rule(session, town_id, replace(wanted, active=False), by=by, at=NINE)
    assert queue(session, texting) == 0
    row = session.scalars(select(ReminderRule)).one()
    assert (row.version, row.active, row.name) == (2, False, None)
    assert len(queries.changes_of(session, town_id, FOLLOW_UP.code)) == 2


def test_rules_are_looked_at_changed_and_made_by_their_pages(
    signed_in: Browser, session: Session, texting: Texting
) -> None:
    texting.person("Nguyễn Thị Hoa", sex="female", birth_year=1960, next_contact_on=TODAY)
    texting.person("Lê Thị Hai", agrees=False, next_contact_on=TODAY)
    browser = signed_in(Role.ORGANISER)
    assert browser.get("/reminders").status_code == 200
    for code in ALL:
        for which in ("today", "week", "not"):
            assert browser.get(f"/reminders/{code}?which={which}").status_code == 200
        assert browser.get(f"/reminders/{code}/edit").status_code == 200
    assert "Hen gap ba Hoa" in browser.get("/reminders/follow_up").text
    typed = {
        "name": "Hẹn gặp",
        "text": "Nhớ gặp {nguoi} ngày {ngay}.",
        "earliest": "1",
        "earliest_side": "before",
        "latest": "0",
        "latest_side": "before",
        "opens": "08:00",
        "closes": "19:00",
        "stop": "done",
        "active": "y",
    }
    shown = browser.post("/reminders/follow_up/edit", data=typed | {"step": "preview"})
    assert "Nho gap ba Hoa ngay" in shown.text
    assert session.scalars(select(ReminderRule)).all() == []
    for wrong in ({"text": "{lạ} {la}"}, {"opens": "06:00"}, {"earliest": "x"}, {"latest": "9"}, {"name": ""}):
        assert browser.post("/reminders/follow_up/edit", data=typed | wrong).status_code == 422
    assert browser.post("/reminders/follow_up/edit", data=typed).status_code == 303
    assert "Hẹn gặp" in browser.get("/reminders").text
    assert browser.get("/reminders/follow_up/edit").status_code == 200
    assert browser.get("/reminders/new").status_code == 200
    assert browser.post("/reminders/new").status_code == 422
    made = browser.post("/reminders/new", data={"event": "win_back"})
    assert made.status_code == 303
    assert browser.get(made.location).status_code == 200
    own = next(one for one in queries.rules_of(session, texting.make.town.id) if one.code not in ALL)
    assert (own.active, own.event, own.stop) == (False, Event.WIN_BACK, Stop.SPOKEN)
    assert browser.get("/reminders/nothing").status_code == 404


def test_who_may_look_and_who_may_change(signed_in: Browser) -> None:
    assert signed_in(Role.VOLUNTEER).get("/reminders").status_code == 403
    assert signed_in(Role.LEAD).get("/reminders/follow_up/edit").status_code == 403


# ---- words that the carrier knows


def test_words_become_a_template_and_leave_once_the_carrier_approved_them(
    session: Session, texting: Texting, signed_in: Browser
) -> None:
    town_id = texting.make.town.id
    takes_part(texting, texting.person(), TODAY + timedelta(days=10))
    settings = sending.settings_of(session, town_id)
    settings.sender = "ANSINH"
    session.add(settings)
    session.flush()
    assert queue(session, texting) == 0, "the carrier knows nothing of these words"
    office = signed_in(Role.ORGANISER)
    assert "chưa được nhà mạng duyệt" in office.get("/reminders").get_data(as_text=True)
    page = office.post(f"/reminders/{PAYMENT_SOON.code}/template", follow_redirects=True)
    assert page.status_code == 200
    rule = queries.rule_of(session, town_id, PAYMENT_SOON.code)
    assert rule.template_version_id is not None
    assert rule.text == PAYMENT_SOON.text
    version = session.get_one(TemplateVersion, (town_id, rule.template_version_id))
    register(
        session,
        version,
        sender="ANSINH",
        state=Registered.APPROVED,
        number="42",
        words=None,
        on=TODAY,
        by_id=texting.writer.id,
        at=NINE,
    )
    assert queue(session, texting) == 1
    again = office.post(f"/reminders/{PAYMENT_SOON.code}/template", follow_redirects=True)
    assert "Đã có mẫu khác mang tên này" in again.get_data(as_text=True)


def test_a_rule_takes_the_words_of_a_template_that_it_can_fill(
    session: Session, texting: Texting, signed_in: Browser
) -> None:
    town_id, by = texting.make.town.id, texting.writer.id
    told = {"purpose": Purpose.SERVICE, "by_id": by, "at": NINE}
    add_template(session, town_id, name="Vừa", text="Mời {nguoi} đóng trước {ngay}", **told)
    add_template(session, town_id, name="Không vừa", text="Mời {nguoi} chuyển {so_tien}", **told)
    office = signed_in(Role.ORGANISER)
    page = office.get(f"/reminders/{PAYMENT_SOON.code}/edit").get_data(as_text=True)
    assert "Vừa" in page
    assert "Không vừa" not in page
    [offered] = queries.templates_for(session, town_id, Event.PAYMENT, None)
    data = {"name": "Nhắc đóng", "text": "chữ khác", "template": str(offered.version.id), "active": "y", "stop": "done"}
    data |= {"earliest": "14", "earliest_side": "before", "latest": "4", "latest_side": "before"}
    data |= {"opens": "07:30", "closes": "20:00"}
    assert office.post(f"/reminders/{PAYMENT_SOON.code}/edit", data=data).status_code == 303
    rule = queries.rule_of(session, town_id, PAYMENT_SOON.code)
    assert (rule.text, rule.template_version_id) == ("Mời {nguoi} đóng trước {ngay}", offered.version.id)
    assert "Vừa" in office.get(f"/reminders/{PAYMENT_SOON.code}").get_data(as_text=True)
