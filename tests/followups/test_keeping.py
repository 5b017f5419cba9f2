"""The page that keeps people in: every number opens as many people as it says."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.errors import RuleBroken
from crm.followups.keeping.queries import keeping, rising
from crm.participation import services
from crm.participation.guard.rules import PaymentState, Return, StopReason
from crm.participation.models import Participation
from crm.participation.rules import Basis, Ending
from crm.prospects.rules import Ground, Stage
from crm.sponsors.services import pay_premium
from tests.factories import Make
from tests.participation.stories import join, pay, spell
from tests.sponsors.stories import A_MONTH, allocate, poor, receive, sponsor

DAY = date(2019, 10, 15)
NOW = clock.at(DAY, 9)
Browser = Callable[[Role | User], FlaskClient]


@pytest.fixture
def town(make: Make) -> None:
    """Somebody in every figure of the page."""
    lan = make.user(Role.VOLUNTEER, full_name="Trịnh Thị Lan")
    for left in (0, 3, 7, 7, 14, 30):
        who = make.prospect(f"Hạn {left}", volunteer_id=lan.id, stage=Stage.JOINED)
        deadline = DAY + timedelta(days=left)
        spell(make, who, date(2019, 1, 1), paid_through=date(2019, 9, 1), deadline_on=deadline)
    for ago, reason in ((40, StopReason.NO_MONEY), (95, None), (50, StopReason.NO_MONEY), (5, None)):
        who = make.prospect(f"Dừng {ago}", stage=Stage.LAPSED)
        spell(make, who, date(2018, 12, 1), DAY - timedelta(days=ago), stop_reason=reason)
    make.prospect("Quá hẹn", volunteer_id=lan.id, next_contact_on=DAY - timedelta(days=8), last_contact_at=NOW)
    make.prospect("Mới quá hẹn", volunteer_id=lan.id, next_contact_on=DAY - timedelta(days=7), last_contact_at=NOW)
    make.prospect("Hết giấy", grounds=(Ground.POOR,))


@pytest.mark.usefixtures("town")
def test_the_figures(session: Session, make: Make) -> None:
    told = keeping(session, scope_of(session, make.user(Role.MANAGER)), DAY)
    near = (PaymentState.DUE_1, PaymentState.DUE_3, PaymentState.DUE_7, PaymentState.DUE_14, PaymentState.DUE_30)
    assert [told.states[state] for state in near] == [1, 1, 2, 1, 1]
    assert (told.named["lapsed_lately"], told.named["win_back_30"], told.named["win_back_90"]) == (1, 2, 1)
    assert told.reasons == {StopReason.NO_MONEY: 2, None: 2}
    assert [(one.name, one.people) for one in told.waiting] == [(None, 4), ("Trịnh Thị Lan", 3)]
    assert told.named["certificate_ends"] == 0
    assert (
        keeping(session, scope_of(session, make.user(Role.MANAGER)), date(2019, 11, 15)).named["certificate_ends"] == 1
    )


@pytest.mark.usefixtures("town")
def test_every_figure_opens_as_many_people(signed_in: Browser) -> None:
    browser = signed_in(Role.MANAGER)
    page = browser.get("/keeping").text
    assert "6 người phải đóng trong 30 ngày tới" in page
    figures = re.findall(r'<a class="figure[^"]*" href="([^"]+)"><span class="figure-number">(\d+)<', page)
    bars = re.findall(
        r'<li class="chart-row"><span><a href="([^"]+)">[^<]*</a></span><span class="chart-value">(\d+)', page
    )
    assert (len(figures), len(bars)) == (14, 4)
    for address, number in figures + bars:
        people = re.findall(r'href="/people/[0-9a-f-]{36}"', browser.get(unescape(address)).text)
        assert len(set(people)) == int(number), address


def test_whose_last_day_is_past_is_told_until_they_are_noted_as_lapsed(make: Make, signed_in: Browser) -> None:
    who = make.prospect("Quá hạn", stage=Stage.JOINED)
    spell(make, who, date(2019, 1, 1), paid_through=date(2019, 8, 1), deadline_on=DAY - timedelta(days=1))
    page = signed_in(Role.MANAGER).get("/keeping").text
    assert "Trong 30 ngày tới không có ai đến hạn" in page
    figure = re.search(r'<a class="figure[^"]*" href="([^"]+payment_overdue)"><span class="figure-number">1<', page)
    assert figure is not None
    assert f"/people/{who.id}" in signed_in(Role.MANAGER).get(unescape(figure[1])).text


def test_an_empty_town_is_calm_in_english_too(signed_in: Browser) -> None:
    browser = signed_in(Role.LEAD)
    assert "Trong 30 ngày tới không có ai đến hạn" in browser.get("/keeping").text
    browser.get("/language/en")
    assert "Nobody waits too long" in browser.get("/keeping").text


def test_why_somebody_stopped_is_noted_and_stands_in_the_timeline(
    session: Session, make: Make, signed_in: Browser
) -> None:
    lan = make.user(Role.VOLUNTEER)
    who = make.prospect(volunteer_id=lan.id, stage=Stage.LAPSED)
    row = spell(make, who, date(2019, 1, 2), date(2019, 9, 1))
    browser = signed_in(lan)
    assert "Vì sao ngừng?" in browser.get(f"/people/{who.id}").text
    assert "Chưa ai hỏi vì sao" in browser.get(f"/people/{who.id}").text
    assert "Họ có đóng lại không?" in browser.get(f"/people/{who.id}/why-stopped").text
    assert browser.post(f"/people/{who.id}/why-stopped", data={"reason": "nonsense"}).status_code == 422
    for reason in (StopReason.FORGOT, StopReason.TOO_FAR, StopReason.TOO_FAR):
        assert browser.post(f"/people/{who.id}/why-stopped", data={"reason": reason.value}).status_code == 302
    assert session.get_one(Participation, (row.town_id, row.id)).stop_reason is StopReason.TOO_FAR
    assert "Điểm thu xa, hoặc đóng cửa" in browser.get(f"/people/{who.id}").text


def test_only_of_those_who_stopped_one_asks_why(session: Session, make: Make) -> None:
    by, never, moved = make.user(), make.prospect(), make.prospect()
    spell(make, moved, date(2019, 1, 2), date(2019, 9, 1), ended_as=Ending.MOVED_OUT)
    for who in (never, moved):
        with pytest.raises(RuleBroken):
            services.say_why(session, who, StopReason.OTHER, by=by, at=NOW)


def test_a_payment_that_comes_in_late_takes_the_reason_away_with_the_lapse(session: Session, make: Make) -> None:
    who = make.prospect()
    row = join(who, date(2019, 2, 4), months=3)
    services.lapse_overdue(session, DAY, at=NOW)
    services.say_why(session, who, StopReason.FORGOT, by=make.user(), at=NOW)
    assert row.deadline_on is not None
    pay(who, row.deadline_on)
    assert (row.ended_on, row.stop_reason) == (None, None)


def test_whose_sponsors_money_is_not_paid_over_is_seen_before_the_last_day(
    session: Session, make: Make, signed_in: Browser
) -> None:
    who = poor(make, "Lê Thị Chờ")
    join(who, date(2019, 8, 2), months=1, grounds=(Ground.POOR,))
    pay(who, date(2019, 9, 2), months=1, grounds=(Ground.POOR,))
    by = sponsor(make)
    receive(by, 10 * A_MONTH)
    made = allocate(by, who, months=3)
    manager = make.user(Role.MANAGER)
    assert keeping(session, scope_of(session, manager), DAY).named["sponsor_unpaid"] == 1
    assert "Lê Thị Chờ" in signed_in(manager).get("/people?condition=sponsor_unpaid").text
    pay_premium(session, made, paid_on=DAY, basis=Basis.CONFIRMED, by=manager, at=NOW)
    assert keeping(session, scope_of(session, manager), DAY).named["sponsor_unpaid"] == 0


def test_what_nobody_does_rises_to_the_lead_on_today(session: Session, make: Make, signed_in: Browser) -> None:
    organisation = make.organisation()
    lead = make.user(Role.LEAD, organisation_id=organisation.id)
    browser = signed_in(lead)
    assert "Cần người phụ trách giải quyết" not in browser.get("/today").text
    lan = make.user(Role.VOLUNTEER, full_name="Trịnh Thị Lan", organisation_id=organisation.id)
    theirs = {"organisation_id": organisation.id, "last_contact_at": NOW}
    make.prospect("Quá hẹn", volunteer_id=lan.id, next_contact_on=DAY - timedelta(days=8), **theirs)
    alone = make.prospect("Không ai", stage=Stage.JOINED, **theirs)
    spell(make, alone, date(2019, 1, 1), paid_through=date(2019, 9, 1), deadline_on=DAY + timedelta(days=7))
    later = make.prospect("Còn lâu", stage=Stage.JOINED, **theirs)
    spell(make, later, date(2019, 1, 1), paid_through=date(2019, 9, 1), deadline_on=DAY + timedelta(days=8))
    told = rising(session, scope_of(session, lead), DAY)
    assert (told.neglected, told.nobodys, told.unpaid) == (2, 1, 0)
    page = browser.get("/today").text
    assert "2 người chờ quá lâu" in page
    assert "Không ai" in browser.get("/people?condition=neglected&assigned_to=nobody").text
    assert "Chưa có người phụ trách" in browser.get("/keeping").text
    assert "Cần người phụ trách giải quyết" not in signed_in(lan).get("/today").text


def test_who_lapsed_and_is_asked_by_nobody_rises_to_the_lead_at_once_without_a_volunteer(
    session: Session, make: Make, signed_in: Browser
) -> None:
    organisation = make.organisation()
    lead = make.user(Role.LEAD, organisation_id=organisation.id)
    lan = make.user(Role.VOLUNTEER, full_name="Trịnh Thị Lan", organisation_id=organisation.id)
    theirs = {"organisation_id": organisation.id, "stage": Stage.LAPSED}
    for name, ago, volunteer_id in (
        ("Không Ai", 0, None),
        ("Đúng Bảy Ngày", 7, lan.id),
        ("Hơn Một Tuần", 8, lan.id),
        ("Không Ai, Đã Lâu", 151, None),
    ):
        who = make.prospect(name, volunteer_id=volunteer_id, **theirs)
        spell(make, who, date(2018, 1, 1), DAY - timedelta(days=ago))
    asked = make.prospect("Đã Hỏi", **theirs)
    spell(make, asked, date(2018, 1, 1), DAY - timedelta(days=4))
    services.say_why(session, asked, StopReason.FORGOT, by=lead, at=NOW)
    told = rising(session, scope_of(session, lead), DAY)
    assert (told.neglected, told.nobodys) == (2, 1)
    browser = signed_in(lead)
    assert "2 người chờ quá lâu" in browser.get("/today").text
    listed = browser.get("/people?condition=neglected").text
    assert [name in listed for name in ("Không Ai", "Hơn Một Tuần", "Đúng Bảy Ngày", "Đã Hỏi", "Đã Lâu")] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_what_was_said_of_coming_back_goes_with_the_lapse(session: Session, make: Make) -> None:
    who = make.prospect()
    row = join(who, date(2019, 2, 4), months=3)
    services.lapse_overdue(session, DAY, at=NOW)
    services.say_why(session, who, StopReason.NO_TRUST, Return.NEVER, by=make.user(), at=NOW)
    assert (row.asked_on, row.stays_away) == (DAY, True)
    assert row.deadline_on is not None
    pay(who, row.deadline_on)
    assert (row.asked_on, row.stays_away) == (None, False)


def test_the_lead_reads_whose_set_aside_money_must_be_paid_over_and_until_when(make: Make, signed_in: Browser) -> None:
    who = poor(make, "Lê Thị Chờ")
    row = join(who, date(2019, 9, 2), months=1, grounds=(Ground.POOR,))
    by = sponsor(make)
    receive(by, 10 * A_MONTH)
    allocate(by, who, months=3)
    assert row.deadline_on == date(2019, 10, 31)
    page = " ".join(signed_in(Role.MANAGER).get("/today").text.split())
    assert "Lê Thị Chờ</a>: tiền đã dành sẵn, chưa đóng, ngày cuối 31/10/2019" in page
