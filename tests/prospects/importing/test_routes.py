"""Lists of people in the browser."""

from __future__ import annotations

import html
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.rules import Role
from crm.prospects.importing.rules import QUIET, STALE
from crm.prospects.importing.services.reading import take_up
from crm.prospects.models import ImportRow, ListImport, Prospect
from crm.prospects.rules import ImportState, RowOutcome
from tasks.prospects import commit_list, read_list, undo_list
from tests.factories import Make
from tests.prospects.importing.test_given_lists import (
    BA_DINH,
    DONG_SON,
    LISTS,
    assert_equal_people,
    expected_of,
)

Browser = Callable[..., FlaskClient]


@pytest.fixture
def manager(make: Make) -> User:
    return make.user(Role.MANAGER)


def upload(browser: FlaskClient, name: str, content: bytes | None = None, **fields: str) -> str:
    """Hand a list in; the address of its page."""
    content = (LISTS / name).read_bytes() if content is None else content
    answer = browser.post("/imports/new", data={"file": (io.BytesIO(content), name), **fields})
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def read_it(address: str) -> UUID:
    import_id = address.rsplit("/", 1)[1]
    read_list(import_id)
    return UUID(import_id)


def finished(browser: FlaskClient, address: str) -> Any:
    told: Any = browser.get(f"{address}/progress").json
    return told["finished"]


def csv(*lines: str, head: str = "Họ và tên;Năm sinh;Giới tính;SĐT;Phường") -> bytes:
    return "\n".join([head, *lines]).encode()


def test_a_list_through_the_page(signed_in: Browser, manager: User, session: Session) -> None:
    browser, expected = signed_in(manager), expected_of(BA_DINH)
    address = upload(browser, BA_DINH)
    assert '<strong id="progress-title">Đang đọc</strong>' in browser.get(address).text
    assert finished(browser, address) is False
    import_id = read_it(address)
    assert finished(browser, address) is True
    assert browser.get(address).headers["Location"] == f"{address}/columns"
    assert "Điện thoại" in browser.get(f"{address}/columns").text
    assert browser.post(f"{address}/read-again", data={}).headers["Location"] == address  # nothing was changed
    page = browser.get(address).text
    assert f"Nhập {len(expected['people'])} người" in page
    for tab in RowOutcome:
        assert browser.get(f"{address}?tab={tab.value}").status_code == 200
    assert "Phường Ba Đình, 14" in browser.get(f"{address}?tab=rejected").text
    assert browser.post(f"{address}/commit").status_code == 303
    commit_list(str(import_id))
    assert browser.get(address).status_code == 200
    assert_equal_people(session, import_id, BA_DINH)
    assert "danh-sach-phuong-ba-dinh.xlsx" in browser.get("/imports").text


def test_the_ward_can_be_chosen_after_reading(signed_in: Browser, manager: User, session: Session, make: Make) -> None:
    browser = signed_in(manager)
    address = upload(browser, DONG_SON)
    import_id = read_it(address)
    page = browser.get(address)
    assert "phường" in page.text
    assert f'<option selected value="{make.ward("14821").id}">' in page.text  # the file's name hints at it
    assert session.scalar(select(func.count()).select_from(ImportRow)) == 0
    assert browser.post(f"{address}/read-again", data={"place": str(make.ward("14821").id)}).status_code == 303
    read_it(address)
    browser.post(f"{address}/commit")
    commit_list(str(import_id))
    assert_equal_people(session, import_id, DONG_SON)


def test_columns_can_be_put_right(signed_in: Browser, manager: User, session: Session) -> None:
    browser = signed_in(manager)
    address = upload(browser, "a.csv", csv("Nguyễn Văn An;1980;Nam;0912345678;Ba Đình"))
    import_id = read_it(address)
    assert browser.post(f"{address}/read-again", data={"0-B": "", "0-D": "note"}).status_code == 303
    read_it(address)
    browser.post(f"{address}/commit")
    commit_list(str(import_id))
    person = session.scalars(select(Prospect)).one()
    assert (person.birth_year, person.phone, person.other_phone) == (None, None, None)


def test_a_row_set_aside_can_be_added_or_left_out(signed_in: Browser, manager: User, session: Session) -> None:
    browser = signed_in(manager)
    twice = ["Nguyễn Văn An;1980;Nam;0912345678;Ba Đình"] * 3
    address = upload(browser, "a.csv", csv(*twice))
    import_id = read_it(address)
    rows = session.scalars(select(ImportRow).where(ImportRow.outcome == RowOutcome.DUPLICATE)).all()
    ids = [row.id for row in rows]
    assert len(ids) == 2
    browser.post(f"{address}/rows/{ids[0]}", data={"decision": "add", "tab": "duplicate"})
    browser.post(f"{address}/commit")
    commit_list(str(import_id))
    assert session.scalar(select(func.count()).select_from(Prospect)) == 2
    assert browser.post(f"{address}/rows/{ids[1]}", data={"decision": "skip"}).status_code == 303
    browser.post(f"{address}/rows/{ids[1]}", data={"decision": "add"})
    assert "Dòng này đã được quyết định" in browser.get(address).text
    assert browser.get(f"{address}?tab=duplicate").status_code == 200
    session.expire_all()
    row = session.get_one(ListImport, (manager.town_id, import_id))
    assert (row.rows, row.valid, row.duplicates, row.created) == (3, 2, 1, 2)


def test_blanks_are_filled_and_other_values_wait_for_a_decision(
    signed_in: Browser, manager: User, session: Session, make: Make
) -> None:
    person = make.prospect("Nguyễn Văn An", birth_year=1980, phone="+84912345678", occupation="Thợ xây")
    browser = signed_in(manager)
    head = "Họ và tên;Năm sinh;Giới tính;SĐT;Phường;Nghề nghiệp"
    address = upload(browser, "a.csv", csv("Nguyễn Văn An;1980;Nam;0912345678;Ba Đình;Lái xe", head=head))
    import_id = read_it(address)
    browser.post(f"{address}/commit")
    commit_list(str(import_id))
    session.expire_all()
    assert (person.sex, person.occupation, person.version) == ("male", "Thợ xây", 2)
    page = browser.get(f"{address}?tab=changed").text
    assert "Thợ xây" in page
    assert "Lái xe" in page
    row = session.scalars(select(ImportRow)).one()
    assert browser.post(f"{address}/rows/{row.id}", data={"decision": "take"}).status_code == 303
    session.expire_all()
    assert person.occupation == "Lái xe"
    browser.post(f"{address}/undo")
    undo_list(str(import_id))
    session.expire_all()
    assert (person.sex, person.occupation) == (None, "Thợ xây")


def test_an_address_with_its_ward_behind_it_is_no_difference(
    signed_in: Browser, manager: User, session: Session, make: Make
) -> None:
    make.prospect("Ngô Văn An", birth_year=1981, phone="+84912345681", address="Số 1")
    browser, head = signed_in(manager), "Họ và tên;Năm sinh;SĐT;Phường;Địa chỉ"
    for address, outcome, differs in (
        ("Số 1, Phường Ba Đình", RowOutcome.UNCHANGED, False),
        ("Số 1 Lê Lai", RowOutcome.UNCHANGED, True),
        ("Số 2, P. Ba Đình", RowOutcome.DUPLICATE, False),
    ):
        url = upload(browser, "a.csv", csv(f"Ngô Văn An;1981;0912345681;Ba Đình;{address}", head=head))
        import_id = read_it(url)
        row = session.scalars(select(ImportRow).where(ImportRow.import_id == import_id)).one()
        assert row.outcome is outcome, address
        assert ("sổ giữ như cũ" in browser.get(f"{url}?tab=unchanged").text) is differs, address


def test_a_list_that_only_contradicts_can_still_be_taken_over(
    signed_in: Browser, manager: User, session: Session, make: Make
) -> None:
    person = make.prospect("Nguyễn Văn An", birth_year=1980, phone="+84912345678", occupation="Thợ xây")
    browser = signed_in(manager)
    head = "Họ và tên;Năm sinh;SĐT;Phường;Nghề nghiệp"
    address = upload(browser, "a.csv", csv("Nguyễn Văn An;1980;0912345678;Ba Đình;Lái xe", head=head))
    import_id = read_it(address)
    page = browser.get(f"{address}?tab=unchanged").text
    assert f"{address}/commit" in page
    assert "sổ giữ như cũ" in page
    browser.post(f"{address}/commit")
    commit_list(str(import_id))
    session.expire_all()
    assert (person.occupation, person.version) == ("Thợ xây", 1)
    row = session.scalars(select(ImportRow)).one()
    assert f"{address}/rows/{row.id}" in browser.get(f"{address}?tab=unchanged").text
    browser.post(f"{address}/rows/{row.id}", data={"decision": "take"})
    session.expire_all()
    assert person.occupation == "Lái xe"


def test_giving_up_forgets_everything(signed_in: Browser, manager: User, session: Session) -> None:
    browser = signed_in(manager)
    address = upload(browser, BA_DINH)
    read_it(address)
    assert browser.post(f"{address}/give-up").status_code == 303
    for kind in (ListImport, ImportRow, Prospect):
        assert session.scalar(select(func.count()).select_from(kind)) == 0


def test_a_file_that_is_no_list_is_refused_at_once(signed_in: Browser, manager: User, session: Session) -> None:
    answer = signed_in(manager).post("/imports/new", data={"file": (io.BytesIO(b"%PDF-1.4 ..."), "a.xlsx")})
    assert answer.status_code == 422
    assert "field-error" in answer.text
    assert session.scalar(select(func.count()).select_from(ListImport)) == 0


def test_others_do_not_see_a_list_but_the_office_does(signed_in: Browser, make: Make, session: Session) -> None:
    lead = make.user(Role.LEAD, organisation_id=make.organisation("HPN").id)
    address = upload(signed_in(lead), BA_DINH)
    assert signed_in(make.user(Role.LEAD, organisation_id=make.organisation("HPN").id)).get(address).status_code == 404
    assert signed_in(make.user(Role.MANAGER)).get(address).status_code == 200
    assert signed_in(make.user(Role.VOLUNTEER)).get(address).status_code == 403
    import_id = read_it(address)
    signed_in(lead).post(f"{address}/commit")
    commit_list(str(import_id))
    owners = session.scalars(select(Prospect.organisation_id).distinct()).all()
    assert owners == [make.organisation("HPN").id]


def test_a_lead_of_a_ward_loads_only_its_people(signed_in: Browser, make: Make, session: Session) -> None:
    lead = make.user(Role.LEAD, place_id=make.ward("14812@2019-10-15").id)
    browser = signed_in(lead)
    address = upload(browser, "a.csv", csv("Nguyễn Văn An;1980;Nam;;Ba Đình", "Lê Thị Bình;1981;Nữ;;Lam Sơn"))
    read_it(address)
    page = browser.get(f"{address}?tab=rejected").text
    assert "Lam Sơn" in page
    answer = browser.post(
        "/imports/new", data={"file": (io.BytesIO(csv("A B;1980;;;")), "a.csv"), "place": str(make.ward("14815").id)}
    )
    assert answer.status_code == 422


def test_somebody_of_another_unit_is_not_shown_to_a_lead(signed_in: Browser, make: Make, session: Session) -> None:
    make.prospect("Nguyễn Văn An", birth_year=1980, phone="+84912345678", place=make.ward("14815"))
    lead = make.user(Role.LEAD, organisation_id=make.organisation("HPN").id)
    address = upload(signed_in(lead), "a.csv", csv("Nguyễn Văn An;1980;Nam;0912345678;Ba Đình"))
    read_it(address)
    row = session.scalars(select(ImportRow)).one()
    assert (row.outcome, row.prospect_id) == (RowOutcome.DUPLICATE, None)


def test_a_state_is_told_when_nothing_is_there_yet(signed_in: Browser, manager: User) -> None:
    browser = signed_in(manager)
    assert browser.get("/imports").status_code == 200
    assert browser.get("/imports/new").status_code == 200


def states(session: Session) -> list[Any]:
    return list(session.scalars(select(ListImport.state)))


def test_two_who_load_at_once_load_once(signed_in: Browser, manager: User, session: Session) -> None:
    browser = signed_in(manager)
    address = upload(browser, BA_DINH)
    read_it(address)
    assert browser.post(f"{address}/commit").status_code == 303
    assert browser.post(f"{address}/commit").location == address
    assert states(session) == [ImportState.COMMITTING]


def test_whoever_waits_reads_that_the_work_stands_still_and_that_it_begins_again(
    signed_in: Browser, manager: User, session: Session, make: Make
) -> None:
    browser = signed_in(manager)
    address = upload(browser, DONG_SON, place=str(make.ward("14821").id))
    row = session.scalars(select(ListImport)).one()
    row.state, row.total, row.done, row.tries = ImportState.READING, 20_000, 4_000, 1

    def told() -> str:
        session.flush()
        words: str = browser.get(f"{address}/progress").json["text"]  # type: ignore[index]
        assert words in html.unescape(browser.get(address).text)
        return words

    row.heartbeat_at = clock.now()
    assert told() == "Đang đọc: 4.000 trong khoảng 20.000 dòng"
    row.heartbeat_at = clock.now() - QUIET - timedelta(seconds=1)
    assert told() == "Công việc bị gián đoạn. Máy tự làm lại trong vòng hai phút."
    row.heartbeat_at = clock.now() - 2 * STALE
    session.flush()
    assert take_up(session, row.id, clock.now()) is not None
    row.done = 0
    again = "Việc đọc bị gián đoạn. Danh sách đang được đọc lại từ đầu."
    assert told() == f"{again} Đang đọc: 0 trong khoảng 20.000 dòng"
    row.heartbeat_at = None
    session.flush()
    read_list(str(row.id))
    session.refresh(row)
    assert (row.state, row.problem) == (ImportState.READY, None)


def test_a_list_of_wards_that_are_not_here_says_so_and_is_read_for_a_ward_that_is_chosen(
    signed_in: Browser, manager: User, session: Session, make: Make
) -> None:
    browser = signed_in(manager)
    address = upload(browser, "a.csv", csv("Lê Văn Tám;1980;Nam;0912345678;Phường Không Có"))
    read_it(address)
    assert "Phường, xã ghi trong danh sách không thuộc địa bàn này." in browser.get(address).text
    browser.post(f"{address}/read-again", data={"place": str(make.ward("14821").id)})
    import_id = read_it(address)
    row = session.get_one(ListImport, (make.town.id, import_id), populate_existing=True)
    assert (row.state, row.rows) == (ImportState.READY, 1)
