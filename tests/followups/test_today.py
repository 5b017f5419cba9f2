"""Today's list as a volunteer sees it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.followups.queries import month_of, today
from crm.followups.rules import OPEN_FIRST, SHOWN, Cause
from crm.ids import new_id
from crm.months import Month
from crm.participation import services
from crm.participation.models import Participation
from crm.participation.rules import Beginning, Ending
from crm.premiums.models import LawValueRow
from crm.premiums.queries import law
from crm.premiums.rules.keys import LawKey, LawStatus
from crm.prospects.models import Household, Prospect
from crm.prospects.rules import Ground, Stage
from crm.web.filters import vnd
from crm.web.pager import write_cursor
from tests.factories import Make
from tests.sponsors.stories import A_MONTH, LONG_AGO, allocate, poor, receive, sponsor

DAY = date(2019, 10, 15)
NOW = clock.at(DAY, 9)
Browser = Callable[[Role | User], FlaskClient]


@pytest.fixture
def lan(make: Make) -> User:
    return make.user(Role.VOLUNTEER, full_name="Trịnh Thị Lan", organisation_id=make.organisation().id)


def joined(make: Make, who: Prospect, **more: Any) -> Participation:
    values = {
        "town_id": who.town_id,
        "prospect_id": who.id,
        "started_on": date(2019, 7, 1),
        "started_as": Beginning.JOINED,
        "place_id": who.place_id,
        "income": 700_000,
        "method": 3,
        "paid_through": date(2019, 9, 1),
        "deadline_on": date(2019, 10, 25),
    }
    return make.add(Participation(**values | more))  # type: ignore[no-any-return]


def causes(session: Session, who: User, day: date = DAY) -> dict[str, Cause]:
    return {one.person.full_name: one.task.cause for one in today(session, scope_of(session, who), day).due}


def test_the_list_holds_ones_own_people_who_are_due(session: Session, make: Make, lan: User) -> None:
    make.prospect("Hẹn Nay", volunteer_id=lan.id, next_contact_on=DAY, last_contact_at=NOW, stage=Stage.AGREED)
    make.prospect("Hẹn Mai", volunteer_id=lan.id, next_contact_on=DAY + timedelta(days=1), last_contact_at=NOW)
    make.prospect("Mới Giao", volunteer_id=lan.id)
    make.prospect("Của Người Khác", next_contact_on=DAY)
    payer = make.prospect("Sắp Đóng", volunteer_id=lan.id, stage=Stage.JOINED)
    joined(make, payer)
    gone = make.prospect("Đã Dừng", volunteer_id=lan.id, stage=Stage.JOINED)
    joined(make, gone, withdrawn_at=NOW)
    assert causes(session, lan) == {"Hẹn Nay": Cause.TODAY, "Sắp Đóng": Cause.PAYMENT, "Mới Giao": Cause.NEW}
    assert causes(session, make.user(Role.MANAGER)) == {}


def test_a_child_who_was_given_is_not_to_be_called_on_before_the_age_for_joining(
    session: Session, make: Make, lan: User
) -> None:
    make.prospect("Còn Nhỏ", volunteer_id=lan.id, birth_date=date(2004, 10, 16), birth_year=2004)
    assert causes(session, lan) == {}
    assert causes(session, lan, DAY + timedelta(days=1)) == {"Còn Nhỏ": Cause.NEW}


def test_only_the_top_is_shown_and_the_rest_is_counted(session: Session, make: Make, lan: User) -> None:
    for number in range(SHOWN + 5):
        make.prospect(f"Lê Văn {number}", volunteer_id=lan.id)
    told = today(session, scope_of(session, lan), DAY)
    assert (len(told.due), told.more, told.in_all) == (SHOWN, 5, SHOWN + 5)


def test_everybody_who_is_due_is_found_page_by_page(
    session: Session, signed_in: Browser, make: Make, lan: User
) -> None:
    home = make.add(Household(town_id=make.town.id, place_id=make.ward().id, created_at=NOW))
    late = {"volunteer_id": lan.id, "last_contact_at": NOW}
    for number in range(2 * SHOWN + 7):
        house = {"household_id": home.id} if number in (3, 30, 44) else {}
        day = DAY - timedelta(days=number % 9 + 1)
        make.prospect(f"Lê Văn {number}", next_contact_on=day, **late, **house)
    browser, address, seen = signed_in(lan), "/today", []
    for first, last in ((1, SHOWN), (SHOWN + 1, 2 * SHOWN), (2 * SHOWN + 1, 2 * SHOWN + 7)):
        page = browser.get(address).text
        assert f"{first}–{last} trong {2 * SHOWN + 7}" in page
        assert f"{2 * SHOWN + 7} việc hôm nay" in page
        seen += re.findall(r'action="/people/([0-9a-f-]{36})/visit"', page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = unescape(following[1]) if following else ""
    assert address == "", "the last page leads nowhere"
    assert len(seen) == len(set(seen)) == 2 * SHOWN + 7
    assert seen == [str(one.task.id) for one in today(session, scope_of(session, lan), DAY, most=100).due]


def test_who_was_called_on_meanwhile_makes_nobody_be_left_out(session: Session, make: Make, lan: User) -> None:
    for number in range(6):
        make.prospect(f"Lê Văn {number}", volunteer_id=lan.id, next_contact_on=DAY, last_contact_at=NOW)
    scope = scope_of(session, lan)
    first = today(session, scope, DAY, most=3)
    for one in first.due:
        one.person.next_contact_on = None
    session.flush()
    second = today(session, scope, DAY, most=3, cursor=first.next)
    assert (len(second.due), second.next, second.in_all) == (3, None, 3)
    assert not {one.task.id for one in first.due} & {one.task.id for one in second.due}


def test_a_page_mark_of_somebody_elses_making_is_refused_and_an_empty_page_says_so(
    signed_in: Browser, make: Make, lan: User
) -> None:
    browser = signed_in(lan)
    assert browser.get("/today?cursor=nonsense").status_code == 422
    who = make.prospect("Hẹn Nay", volunteer_id=lan.id, next_contact_on=DAY, last_contact_at=NOW)
    end = write_cursor([*(10, 0, DAY, 0, who.id), *(10, 0, DAY, 0, who.id)])
    assert "Không còn ai đến hạn" in browser.get(f"/today?cursor={end}").text


def test_whoever_lapses_is_a_task_that_very_day_and_the_reason_clears_it(
    session: Session, signed_in: Browser, make: Make, lan: User, at_time: Callable[..., None]
) -> None:
    who = make.prospect("Vừa Dừng", volunteer_id=lan.id, stage=Stage.JOINED)
    row = joined(make, who, deadline_on=DAY - timedelta(days=1))
    assert causes(session, lan) == {"Vừa Dừng": Cause.ENDING}
    services.lapse_overdue(session, DAY, at=NOW)
    assert row.ended_on == DAY
    assert causes(session, lan) == {"Vừa Dừng": Cause.LAPSED}
    browser = signed_in(lan)
    page = browser.get("/today").text
    assert "Ngừng đóng từ 15/10/2019, chưa ai hỏi vì sao" in page
    assert f'href="/people/{who.id}/why-stopped"' in page
    assert browser.post(f"/people/{who.id}/why-stopped", data={"reason": "no_money"}).status_code == 302
    assert causes(session, lan, DAY + timedelta(days=29)) == {}
    month_later = DAY + timedelta(days=30)
    assert causes(session, lan, month_later) == {"Vừa Dừng": Cause.WIN_BACK}
    at_time(clock.at(month_later, 9))
    assert "«Lúc đó chưa có tiền». Hỏi xem nay đóng lại được chưa" in signed_in(lan).get("/today").text


def test_who_will_come_back_later_is_a_task_that_day_and_who_never_will_is_none(
    session: Session, signed_in: Browser, make: Make, lan: User
) -> None:
    rows = {}
    for name in ("Để Sau", "Không Nữa", "Chưa Biết"):
        appointment = {"next_contact_on": DAY - timedelta(days=3)} if name == "Không Nữa" else {}
        who = make.prospect(name, volunteer_id=lan.id, stage=Stage.LAPSED, **appointment)
        rows[name] = joined(make, who, ended_on=DAY - timedelta(days=35), ended_as=Ending.LAPSED)
    assert set(causes(session, lan)) == set(rows)
    later = DAY + timedelta(days=100)
    answers = {
        "Để Sau": {"back": "later", "again_on": later.isoformat()},
        "Không Nữa": {"back": "never"},
        "Chưa Biết": {"back": "open"},
    }
    browser = signed_in(lan)
    for name, answer in answers.items():
        address = f"/people/{rows[name].prospect_id}/why-stopped"
        assert browser.post(address, data={"reason": "no_money", **answer}).status_code == 302
    assert causes(session, lan) == {}
    assert causes(session, lan, DAY + timedelta(days=60)) == {"Chưa Biết": Cause.WIN_BACK}
    assert causes(session, lan, later) == {"Chưa Biết": Cause.WIN_BACK, "Để Sau": Cause.TODAY}
    page = browser.get(f"/people/{rows['Không Nữa'].prospect_id}").text
    assert "Không đóng lại nữa" in page
    assert "Hỏi lại ngày 23/1/2020" in browser.get(f"/people/{rows['Để Sau'].prospect_id}").text
    refused = browser.post(
        f"/people/{rows['Để Sau'].prospect_id}/why-stopped", data={"reason": "forgot", "back": "later", "again_on": ""}
    )
    assert refused.status_code == 422
    assert "Ghi ngày sẽ hỏi lại" in refused.text


def test_logging_a_visit_clears_the_card(session: Session, signed_in: Browser, make: Make, lan: User) -> None:
    who = make.prospect("Hẹn Nay", volunteer_id=lan.id, next_contact_on=DAY)
    browser = signed_in(lan)
    assert "Hẹn hôm nay · lần 1" in browser.get("/today").text
    browser.post(f"/people/{who.id}/visit", data={"client_id": str(uuid4()), "outcome": "interested"})
    assert causes(session, lan) == {}
    page = browser.get("/today").text
    assert "Hôm nay không có việc" in page
    assert who.next_contact_on is not None
    assert causes(session, lan, who.next_contact_on) == {"Hẹn Nay": Cause.TODAY}


def test_the_card_says_what_the_state_pays_by_the_law_of_the_day(signed_in: Browser, make: Make, lan: User) -> None:
    make.prospect("Nghèo Khó", volunteer_id=lan.id, grounds=(Ground.POOR,), phone="+84912345678", address="Số 7 ngõ 2")
    page = signed_in(lan).get("/today").text
    assert "1 việc hôm nay" in page
    assert "Nhà nước hỗ trợ 46.200" in page
    assert "mình đóng 107.800" in page
    assert 'href="tel:+84912345678"' in page
    assert "geo:0,0?q=S%E1%BB%91%207" in page


@pytest.mark.parametrize(
    ("paid_through", "say"),
    [
        (
            date(2019, 11, 1),
            "12 tháng tới đóng được từ 1/11/2019, khi đó là 1.716.000 đ; hạn cuối 10/11/2019.",
        ),
        (date(2019, 10, 1), "Nhắc đóng 1.293.600 đ cho 12 tháng tới, hạn cuối 10/11/2019, để không mất tháng nào."),
    ],
)
def test_what_is_due_is_told_by_the_law_of_the_first_day_it_may_be_paid(
    signed_in: Browser, make: Make, lan: User, paid_through: date, say: str
) -> None:
    told = {"effective_from": date(2019, 11, 1), "document": "Nghị định thử", "status": LawStatus.IN_FORCE}
    make.add(LawValueRow(id=new_id(), key=LawKey.POVERTY_LINE, value=Decimal(1_000_000), **told))
    make.add(LawValueRow(id=new_id(), key=LawKey.SUPPORT_PERCENT, ground=Ground.POOR, value=Decimal(35), **told))
    who = make.prospect("Sắp Đóng", volunteer_id=lan.id, stage=Stage.JOINED, grounds=(Ground.POOR,))
    joined(make, who, method=12, paid_through=paid_through, deadline_on=date(2019, 11, 10))
    assert say in signed_in(lan).get("/today").text.replace("\xa0", " ")


def test_who_lives_on_an_island_hears_of_the_support_for_it_like_the_rest(
    session: Session, signed_in: Browser, make: Make, lan: User, at_time: Callable[..., None]
) -> None:
    ward = make.ward("14812")
    make.prospect("Trên Đảo", volunteer_id=lan.id, place=ward)
    at_time(clock.at(date(2026, 7, 15), 9))
    browser = signed_in(lan)
    without = browser.get("/today").text
    ward.special = True
    session.flush()
    with_it = browser.get("/today").text
    share = law(session).on(date(2026, 7, 15)).support
    least = 330_000
    for page, ground in ((without, Ground.OTHER), (with_it, Ground.ISLAND)):
        assert f"Nhà nước hỗ trợ {vnd(int(least * share[ground]), 'vi')}".split("\u00a0")[0] in page


def test_of_the_newly_given_the_island_weighs_as_much_as_its_place_says(
    session: Session, make: Make, lan: User
) -> None:
    ward = make.ward()
    make.prospect("Cận Nghèo", volunteer_id=lan.id, grounds=(Ground.NEAR_POOR,), place=make.ward("14818@2019-10-15"))
    who = make.prospect("Trên Đảo", volunteer_id=lan.id, place=ward)
    assert list(causes(session, lan)) == ["Cận Nghèo", "Trên Đảo"]
    ward.special = True
    session.flush()
    assert next(iter(causes(session, lan))) == who.full_name


def test_who_has_still_to_pay_and_who_missed_it_are_told_what_to_do(signed_in: Browser, make: Make, lan: User) -> None:
    soon = make.prospect("Sắp Đóng", volunteer_id=lan.id, stage=Stage.JOINED)
    joined(make, soon)
    page = signed_in(lan).get("/today").text
    assert "Nhắc đóng 415.800\u00a0đ cho 3 tháng tới, hạn cuối 25/10/2019" in page
    assert "đăng ký lại" not in page
    missed = make.prospect("Quá Hạn", volunteer_id=lan.id, stage=Stage.JOINED, next_contact_on=DAY, last_contact_at=NOW)
    joined(make, missed, deadline_on=date(2019, 9, 25))
    page = signed_in(lan).get("/today").text
    assert "Các tháng đã đóng vẫn được tính. Muốn đóng tiếp thì đăng ký lại" in page
    assert "Cảm ơn" not in page


def test_three_tasks_stand_open_and_the_others_are_a_line_each(signed_in: Browser, make: Make, lan: User) -> None:
    for number in range(5):
        make.prospect(f"Lê Văn {number}", volunteer_id=lan.id, next_contact_on=DAY, last_contact_at=NOW)
    page = signed_in(lan).get("/today").text
    assert page.count('class="card task task-due"') == OPEN_FIRST
    assert page.count("task-folded") == 2
    assert page.count("data-sheet=") == 5  # what is folded is recorded like the others, with one tap more


def test_a_full_list_asks_few_questions(
    session: Session, signed_in: Browser, make: Make, lan: User, statements: Callable[[], list[str]]
) -> None:
    for number in range(30):
        make.prospect(f"Lê Văn {number}", volunteer_id=lan.id, next_contact_on=DAY, grounds=(Ground.NEAR_POOR,))
    session.expire_all()
    scope = scope_of(session, lan)
    seen = statements()
    today(session, scope, DAY)
    assert len(seen) <= 14
    seen.clear()
    for number in range(20):
        gone = make.prospect(f"Dừng {number}", volunteer_id=lan.id, stage=Stage.LAPSED)
        joined(make, gone, ended_on=DAY - timedelta(days=3), ended_as=Ending.LAPSED)
    seen.clear()
    today(session, scope, DAY)
    assert len(seen) <= 15


def test_a_months_work_counts_people(session: Session, signed_in: Browser, make: Make, lan: User) -> None:
    browser = signed_in(lan)
    for outcome in ("not_met", "agreed", "refused"):
        who = make.prospect(volunteer_id=lan.id)
        browser.post(f"/people/{who.id}/visit", data={"client_id": str(uuid4()), "outcome": outcome})
    joined(make, who, recruited_by_id=lan.id, started_on=date(2019, 10, 1))
    scope = scope_of(session, lan)
    this = month_of(session, scope, Month.of(DAY))
    assert (this.reached, this.joined) == ((3, 2, 1), 1)
    assert month_of(session, scope, Month.of(DAY) - 1).reached == (0, 0, 0)


def test_whom_one_called_on_is_found_by_name(signed_in: Browser, make: Make, lan: User) -> None:
    browser = signed_in(lan)
    who = make.prospect("Nguyễn Thị Hoà", volunteer_id=lan.id, stage=Stage.INTERESTED, last_contact_at=NOW)
    make.prospect("Nguyễn Thị Hoa")
    page = browser.get("/record?q=nguyen hoà").text
    assert f"/people/{who.id}/visit" in page
    assert page.count('/visit"') == 1
    assert "Không có ai" in browser.get("/record?q=zzz").text
    assert "Hôm nay không có hẹn" in browser.get("/record").text


@pytest.mark.parametrize(("path", "words"), [("/today", "Nothing is due today"), ("/mine", "Nothing logged yet")])
def test_an_empty_day_is_quiet_in_english_too(signed_in: Browser, lan: User, path: str, words: str) -> None:
    browser = signed_in(lan)
    browser.get("/language/en")
    assert words in browser.get(path).text


def test_my_work_shows_what_i_logged(signed_in: Browser, make: Make, lan: User) -> None:
    browser = signed_in(lan)
    who = make.prospect(volunteer_id=lan.id)
    browser.post(f"/people/{who.id}/visit", data={"client_id": str(uuid4()), "outcome": "considering"})
    page = browser.get("/mine").text
    assert "Nguyễn Thị Đăng" in page
    assert "Còn nghĩ" in page


@pytest.mark.parametrize("path", ["/today", "/record", "/mine"])
def test_the_days_work_is_for_those_who_log_visits(signed_in: Browser, client: FlaskClient, path: str) -> None:
    assert signed_in(Role.AUDITOR).get(path).status_code == 403
    assert client.get(path).status_code == 302


def test_a_sponsor_whose_help_ends_is_a_reason_to_call(
    session: Session, signed_in: Browser, make: Make, lan: User
) -> None:
    giver, who = sponsor(make), poor(make, volunteer_id=lan.id)
    receive(giver, 10 * A_MONTH)
    allocate(giver, who, months=3, at=LONG_AGO)
    assert causes(session, lan, date(2019, 10, 15)) == {who.full_name: Cause.SPONSOR_ENDS}
    page = signed_in(lan).get("/today").text
    assert "Nhà hỗ trợ đóng đến 31/12/2019, sau đó chưa có ai" in page
    late = {"volunteer_id": lan.id, "next_contact_on": DAY - timedelta(days=30), "last_contact_at": NOW}
    for number in range(SHOWN):
        make.prospect(f"Quá Hẹn {number}", **late)
    assert next(iter(causes(session, lan))) == who.full_name, "late appointments do not bury it"
    assert "Báo trước là sắp hết hỗ trợ" in page
    allocate(giver, who, months=3, start=Month(2020, 1))
    assert who.full_name not in causes(session, lan)


def test_who_paid_on_themselves_falls_off_no_cliff(session: Session, make: Make, lan: User) -> None:
    giver, who = sponsor(make), poor(make, volunteer_id=lan.id, stage=Stage.JOINED)
    receive(giver, 10 * A_MONTH)
    allocate(giver, who, months=1, at=LONG_AGO)
    joined(make, who, paid_through=date(2020, 3, 1), deadline_on=date(2020, 4, 30))
    assert causes(session, lan) == {}


def test_the_others_of_the_house_stand_beside(session: Session, signed_in: Browser, make: Make, lan: User) -> None:
    home = make.add(Household(town_id=make.town.id, place_id=make.ward().id, created_at=NOW))
    make.prospect("Hẹn Nay", volunteer_id=lan.id, next_contact_on=DAY, last_contact_at=NOW, household_id=home.id)
    make.prospect("Nhà Khác", volunteer_id=lan.id, next_contact_on=DAY - timedelta(days=3), last_contact_at=NOW)
    make.prospect("Cùng Nhà", volunteer_id=lan.id, household_id=home.id)
    told = today(session, scope_of(session, lan), DAY).due
    assert [(one.person.full_name, one.task.along) for one in told] == [
        ("Hẹn Nay", False),
        ("Cùng Nhà", True),
        ("Nhà Khác", False),
    ]
    assert "Cùng nhà, tiện thể gặp luôn" in signed_in(lan).get("/today").text
