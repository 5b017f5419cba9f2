"""Packages as people see them: giving, the volunteer's pages, paper, bringing back."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from html import unescape
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.months import Month
from crm.outreach.models import Visit
from crm.outreach.packages import services
from crm.outreach.packages.models import WorkPackage
from crm.places.models import Place
from crm.premiums.models import LocalTopUpRow
from crm.prospects.lists.models import Segment
from crm.prospects.models import Prospect
from crm.prospects.rules import Ground, Stage
from tests.factories import Make
from tests.outreach.packages.conftest import NOW, UNTIL, Give
from tests.participation.stories import paid_long_ago

Browser = Callable[[Role | User], FlaskClient]


def test_a_lead_looks_at_the_walk_and_gives_it(
    session: Session, signed_in: Browser, phuong: User, lan: User, part: Place, people: list[Prospect]
) -> None:
    browser = signed_in(phuong)
    address = f"/packages/new?place={part.parent_id}&neighbourhood={part.id}&size=3"
    page = browser.get(address).text
    assert "3 trong 4 người chưa có ai phụ trách" in page
    assert 'value="Khu phố 3"' in page
    assert 'value="2019-10-29"' in page
    ticked = re.findall(r'name="people" value="([^"]+)" checked', page)
    assert ticked == [str(people[index].id) for index in (1, 2, 3)]
    sent = {"volunteer": str(lan.id), "until": "2019-10-20", "name": "Khu phố 3", "people": ticked}
    told = browser.post(address, data=sent, follow_redirects=True).text
    assert "Đã giao 3 người" in told
    assert "Vũ Bình" in told
    assert {people[index].volunteer_id for index in (1, 2, 3)} == {lan.id}
    assert session.scalars(select(WorkPackage.place_id)).one() == part.id
    assert "1 gói việc đang giao" in browser.get("/packages").text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"volunteer": ""}, "Hãy chọn người phụ trách"),
        ({"until": "2019-10-14"}, "Hạn cuối đã qua"),
        ({"until": "mai"}, "Hạn cuối"),
        ({"people": []}, "Chưa chọn ai"),
        ({"name": ""}, "Tên gói việc"),
    ],
)
def test_what_cannot_be_given_is_said_in_a_sentence(
    session: Session,
    signed_in: Browser,
    phuong: User,
    lan: User,
    people: list[Prospect],
    change: dict[str, object],
    words: str,
) -> None:
    good = {"volunteer": str(lan.id), "until": "2019-10-20", "name": "Gói", "people": [str(people[0].id)]}
    answer = signed_in(phuong).post("/packages/new", data=good | change)
    assert answer.status_code == 422
    assert words in answer.text
    assert session.scalar(select(func.count()).select_from(WorkPackage)) == 0


def test_the_volunteer_reads_it_on_today_and_on_the_own_page(
    signed_in: Browser, give: Give, lan: User, hoa: User, people: list[Prospect]
) -> None:
    give()
    browser = signed_in(lan)
    browser.post(f"/people/{people[0].id}/visit", data={"client_id": str(uuid4()), "outcome": "considering"})
    for address in ("/today", "/mine"):
        page = browser.get(address).text
        assert "Khu phố 3" in page
        assert "1/4 đã gặp · còn 6 ngày" in page
        assert "Nhờ chị" in page
        assert "Khu phố 3" not in signed_in(hoa).get(address).text


def test_what_ran_out_is_told_to_both(
    session: Session,
    signed_in: Browser,
    give: Give,
    lan: User,
    phuong: User,
    people: list[Prospect],
    at_time: Callable[[datetime], None],
) -> None:
    package = give().package
    later = clock.at(UNTIL + timedelta(days=1), 1)
    services.return_overdue(session, UNTIL + timedelta(days=1), at=later)
    at_time(later)
    assert "Hết hạn · 0/4 đã gặp, trả lại 4 người" in signed_in(lan).get("/today").text
    told = signed_in(phuong).get("/today").text
    assert "Trịnh Thị Lan: Hết hạn" in told
    shown = signed_in(phuong).get(f"/packages/{package.id}").text
    assert "Vũ An" in shown
    assert "Không còn trong gói việc" in shown
    assert "Vũ An" not in signed_in(lan).get(f"/packages/{package.id}").text, "who came back is out of sight"
    timeline = signed_in(phuong).get(f"/people/{people[0].id}").text
    assert "Trả lại từ gói việc “Khu phố 3”, chưa gặp" in timeline
    at_time(later + timedelta(days=30))
    assert "Hết hạn" not in signed_in(lan).get("/today").text


def test_more_time_with_one_tap(signed_in: Browser, give: Give, phuong: User, lan: User) -> None:
    package = give().package
    browser = signed_in(phuong)
    page = browser.post(f"/packages/{package.id}/extend", data={"days": "7"}, follow_redirects=True).text
    assert "27/10/2019" in page
    assert "Lê Thị Phượng dời hạn cuối đến 27/10/2019" in page
    assert browser.post(f"/packages/{package.id}/extend", data={"days": "99"}).status_code == 422
    assert signed_in(lan).post(f"/packages/{package.id}/extend", data={"days": "7"}).status_code == 403


def test_handing_back_asks_why(session: Session, signed_in: Browser, give: Give, lan: User) -> None:
    package = give().package
    browser = signed_in(lan)
    answer = browser.post(f"/packages/{package.id}/return", data={})
    assert (answer.status_code, "Hãy ghi vài chữ lý do" in answer.text) == (422, True)
    told = browser.post(f"/packages/{package.id}/return", data={"note": "Ốm"}, follow_redirects=True).text
    assert "Đã trả lại 4 người" in told
    session.refresh(package)
    assert package.ended_note == "Ốm"


def test_a_visit_sent_late_from_the_page_is_kept_and_said_so_without_a_name(
    session: Session,
    signed_in: Browser,
    give: Give,
    phuong: User,
    lan: User,
    hoa: User,
    people: list[Prospect],
    at_time: Callable[[datetime], None],
) -> None:
    package = give().package
    services.bring_back(session, scope_of(session, phuong), package.id, by=phuong, at=NOW + timedelta(days=2))
    give(to=hoa)
    at_time(NOW + timedelta(days=3))
    sent = {"client_id": str(uuid4()), "outcome": "interested", "occurred_on": "2019-10-15"}
    browser = signed_in(lan)
    for _twice in range(2):
        told = browser.post(f"/people/{people[0].id}/visit", data=sent, follow_redirects=True).text
        assert "Lượt gặp đã lưu và vẫn tính cho anh/chị" in told
        assert "1 lượt gặp của anh/chị đến sau" in told
        assert "Vũ An" not in told
    assert session.scalar(select(func.count()).select_from(Visit)) == 1
    receiving = signed_in(hoa).get("/today").text
    assert "Trịnh Thị Lan gửi đến lượt gặp ngày 15/10/2019" in receiving


# ---- paper


def test_the_printed_list_is_house_by_house_and_keeps_secrets(
    signed_in: Browser, make: Make, give: Give, phuong: User, lan: User, people: list[Prospect]
) -> None:
    people[1].phone, people[1].citizen_id, people[1].citizen_masked = "+84912345678", "038170000001", "038***001"
    make.standing(people[1], Ground.POOR)
    package = give([people[1], people[2], people[3], people[0]]).package
    browser = signed_in(lan)
    page = browser.get(f"/packages/{package.id}/print").text
    assert re.findall(r"<strong>(Vũ \w+)</strong>", page) == ["Vũ Bình", "Vũ Cúc", "Vũ Dung", "Vũ An"]
    assert page.count('class="qr"') == 4
    assert page.count("walk-tick") >= 24
    assert "107.800" in page, "what they would pay themselves"
    assert "… 678" in page
    assert "0912 345 678" not in page
    assert "038" not in re.sub(r"<svg.*?</svg>", "", page)
    assert "0912 345 678" in browser.get(f"/packages/{package.id}/print?phones=full").text
    browser.post(f"/people/{people[0].id}/visit", data={"client_id": str(uuid4()), "outcome": "agreed"})
    assert "Vũ An" not in browser.get(f"/packages/{package.id}/print").text, "who was met needs no line"


def test_the_printed_list_says_for_each_what_they_pay(
    signed_in: Browser, make: Make, give: Give, lan: User, people: list[Prospect]
) -> None:
    """By every ground, and with the months helped before."""
    make.standing(people[0], Ground.NEAR_POOR)
    make.standing(people[0], Ground.ETHNIC_MINORITY)
    adds = {"ground": Ground.ETHNIC_MINORITY, "amount": 20_000, "effective_from": date(2019, 1, 1), "document": "NQ 1"}
    make.add(LocalTopUpRow(town_id=make.town.id, place_id=people[0].place_id, **adds))
    people[1].stage = Stage.CONSIDERING
    paid_long_ago(make, people[1], Month(2009, 1), 120)
    package = give(people[:2]).package
    page = unescape(signed_in(lan).get(f"/packages/{package.id}/print").text).replace("\u00a0", " ")
    assert "Đóng 95.500 đ mỗi tháng, Nhà nước 38.500 đ, địa phương 20.000 đ" in page
    assert "Đóng 154.000 đ mỗi tháng, Nhà nước 0 đ" in page


def test_people_of_one_house_share_a_code(signed_in: Browser, give: Give, lan: User, people: list[Prospect]) -> None:
    people[0].address = people[1].address
    package = give(people[:2]).package
    page = signed_in(lan).get(f"/packages/{package.id}/print").text
    assert page.count('class="qr"') == 1
    assert 'rowspan="2"' in page


def test_a_walk_through_two_wards_names_the_ward_of_each_house(
    signed_in: Browser, make: Make, give: Give, lan: User, people: list[Prospect]
) -> None:
    far = make.ward("14815")
    people[0].place_id, people[0].neighbourhood_id = far.id, None
    package = give().package
    page = signed_in(lan).get(f"/packages/{package.id}").text
    paper = unescape(signed_in(lan).get(f"/packages/{package.id}/print").text)
    near = make.ward().name
    for shown in (unescape(page), paper):
        assert f"Khu phố 3, {near}" in shown
        assert far.name in shown


def test_paper_is_typed_in_line_by_line(
    session: Session, signed_in: Browser, give: Give, phuong: User, lan: User, people: list[Prospect]
) -> None:
    package = give().package
    browser = signed_in(phuong)
    page = browser.get(f"/packages/{package.id}/entry").text
    ids = re.findall(r'name="person" value="([^"]+)"', page)
    assert ids == [str(one.id) for one in people]
    sent = {
        "walked_on": "2019-10-15",
        "person": ids,
        f"outcome-{ids[0]}": "agreed",
        f"note-{ids[0]}": "hẹn tối thứ bảy",
        f"outcome-{ids[1]}": "not_met",
    }
    told = browser.post(f"/packages/{package.id}/entry", data=sent, follow_redirects=True).text
    assert "Đã lưu 2 lượt gặp" in told
    again = browser.post(f"/packages/{package.id}/entry", data=sent, follow_redirects=True).text
    assert "2 dòng đã nhập trước đó" in again
    first = session.scalars(select(Visit).where(Visit.prospect_id == people[0].id)).one()
    assert (first.user_id, first.keyed_by_id, first.note) == (lan.id, phuong.id, "hẹn tối thứ bảy")
    assert people[0].stage is Stage.AGREED
    assert "nhập từ giấy" in browser.get(f"/people/{people[0].id}").text


def test_a_wrong_day_keeps_what_was_typed(signed_in: Browser, give: Give, lan: User, people: list[Prospect]) -> None:
    package = give().package
    key = str(people[0].id)
    sent = {"walked_on": "2019-10-14", "person": [key, "x"], f"outcome-{key}": "agreed", f"note-{key}": "ghi nhớ"}
    answer = signed_in(lan).post(f"/packages/{package.id}/entry", data=sent)
    assert answer.status_code == 422
    assert "Ngày đi gặp không thể trước ngày giao" in answer.text
    assert '<option value="agreed" selected>' in answer.text
    assert 'value="ghi nhớ"' in answer.text


def test_whoever_only_looks_gets_no_paper(signed_in: Browser, make: Make, give: Give, hoa: User) -> None:
    package = give().package
    for who in (hoa, make.user(Role.ORGANISER)):
        for way in ("print", "entry"):
            assert signed_in(who).get(f"/packages/{package.id}/{way}").status_code == 404
    assert signed_in(make.user(Role.AUDITOR)).get(f"/packages/{package.id}").status_code == 200
    assert signed_in(hoa).get("/packages").status_code == 403
    assert date(2019, 10, 20) == package.until


def test_a_saved_list_is_cut_into_a_package_as_whoever_gives_it_sees_it(
    session: Session, signed_in: Browser, make: Make, phuong: User, lan: User, people: list[Prospect]
) -> None:
    people[2].stage = Stage.CONSIDERING
    make.prospect("Vũ Xa", stage=Stage.CONSIDERING, organisation_id=make.organisation("LDLD").id)
    saved = Segment(
        town_id=make.town.id,
        name="Đang cân nhắc",
        name_fold="dang can nhac",
        owner_id=phuong.id,
        asked={"stage": ["considering"]},
        created_at=NOW,
        updated_at=NOW,
    )
    make.add(saved)
    page = signed_in(phuong).get(f"/packages/new?segment={saved.id}&stage=open").text
    assert re.findall(r'name="people" value="([^"]+)" checked', page) == [str(people[2].id)]
    assert 'value="Đang cân nhắc"' in page
    assert (
        "Đang cân nhắc"
        not in signed_in(make.user(Role.LEAD, organisation_id=lan.organisation_id))
        .get(f"/packages/new?segment={saved.id}")
        .text
    )


def test_a_neighbourhood_is_chosen_in_one_step_under_its_ward(signed_in: Browser, phuong: User, part: Place) -> None:
    page = signed_in(phuong).get(f"/packages/new?place=&neighbourhood={part.id}").text
    assert re.search(rf'<option selected[^>]*value="{part.parent_id}"', page)
    assert re.search(rf'<option selected[^>]*value="{part.id}"', page)
    assert '<optgroup label="' in page


def test_another_ward_lets_go_of_the_neighbourhood(signed_in: Browser, phuong: User, part: Place, make: Make) -> None:
    other = make.ward("14818@2019-10-15")
    assert other.id != part.parent_id
    page = signed_in(phuong).get(f"/packages/new?place={other.id}&neighbourhood={part.id}").text
    assert re.search(rf'<option selected[^>]*value="{other.id}"', page)
    assert not re.search(rf'<option selected[^>]*value="{part.id}"', page)
