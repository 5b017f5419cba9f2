"""From a file to the register in steps: columns remembered for the next list, decisions side by side, mended rows."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import openpyxl
import pytest
import xlsxwriter
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.rules import Role
from crm.errors import RuleBroken
from crm.places.models import Place
from crm.places.rules import PlaceKind
from crm.prospects.importing.commands import importing
from crm.prospects.importing.forms import options_of
from crm.prospects.importing.models import RememberedColumns
from crm.prospects.importing.services import undoing
from crm.prospects.importing.services.taking_in import MOST_TRIES
from crm.prospects.models import ImportRow, ListImport, Prospect
from crm.prospects.reading.old_letters import _TCVN3
from crm.prospects.rules import ImportState, ListKind, RowOutcome
from tasks.prospects import commit_list, read_list, undo_list
from tests.factories import Make
from tests.prospects.importing.test_routes import csv, read_it, upload

Browser = Callable[..., FlaskClient]
ODD = "Họ và tên;Năm sinh;Số máy bàn;Liên lạc qua;Phường"
"""A list whose fourth column is not what its heading says."""


@pytest.fixture
def manager(make: Make) -> User:
    return make.user(Role.MANAGER)


@pytest.fixture
def browser(signed_in: Browser, manager: User) -> FlaskClient:
    return signed_in(manager)


def the(session: Session, import_id: UUID) -> ListImport:
    session.expire_all()
    return session.scalars(select(ListImport).where(ListImport.id == import_id)).one()


def count(session: Session, kind: type) -> int:
    session.expire_all()
    return session.scalar(select(func.count()).select_from(kind)) or 0


# ---- columns


def test_each_column_is_shown_with_its_values_and_why(browser: FlaskClient) -> None:
    address = upload(browser, "a.csv", csv("Nguyễn Văn An;1980;Nam;0912345678;Ba Đình", "Lê Thị Lan;1975;Nữ;;Ba Đình"))
    read_it(address)
    page = browser.get(f"{address}/columns").text
    assert "Nguyễn Văn An · Lê Thị Lan" in page
    assert "theo tiêu đề" in page
    assert "0912345678" in page


def test_the_preview_says_into_which_ward_each_is_put(browser: FlaskClient) -> None:
    head = "Họ và tên;Năm sinh;Phường;Khu phố"
    rows = csv("Ngô Văn An;1981;P. Ba Đình;Khu phố 4", "Ngô Thị Bé;1982;lam sơn;", head=head)
    address = upload(browser, "hai-phuong.csv", rows)
    read_it(address)
    page = browser.get(f"{address}?tab=new").text
    assert "Khu phố 4 · Phường Ba Đình" in page
    assert page.index("Ngô Thị Bé") < page.index("Phường Lam Sơn")


def corrected(browser: FlaskClient, session: Session, content: bytes, **fields: str) -> UUID:
    address = upload(browser, "hoi-phu-nu-thang-9.csv", content)
    import_id = read_it(address)
    assert browser.post(f"{address}/read-again", data=fields).status_code == 303
    read_list(str(import_id))
    return import_id


def test_a_corrected_column_is_remembered_for_the_next_list(browser: FlaskClient, session: Session) -> None:
    first = csv("Nguyễn Văn An;1980;bán chè;0912345678;Ba Đình", head="Họ và tên;Năm sinh;Cột lạ;SĐT;Phường")
    corrected(browser, session, first, **{"0-C": "occupation"})
    second = csv("Lê Thị Lan;1975;thợ may;0987654321;Ba Đình", head="Họ và tên;Năm sinh;CỘT LẠ;SĐT;Phường")
    address = upload(browser, "hoi-phu-nu-thang-10.csv", second)
    import_id = read_it(address)
    fields = {column["letter"]: column["field"] for column in the(session, import_id).found["tables"][0]["columns"]}  # type: ignore[index]
    assert fields["C"] == "occupation"
    assert "hoi-phu-nu-thang-9.csv" in browser.get(f"{address}/columns").text
    assert session.scalars(select(RememberedColumns.used)).one() == 1


def test_changed_headings_lose_only_what_is_gone(browser: FlaskClient, session: Session) -> None:
    head = "Họ và tên;Năm sinh;Cột lạ;SĐT;Phường;Cột hai"
    first = csv("Nguyễn Văn An;1980;bán chè;0912345678;Ba Đình;ốm", head=head)
    corrected(browser, session, first, **{"0-C": "occupation", "0-F": "note"})
    second = csv("Lê Thị Lan;1975;thợ may;0987654321;Ba Đình;mới", head="Họ và tên;Năm sinh;Cột lạ;SĐT;Phường;Cột ba")
    address = upload(browser, "b.csv", second)
    import_id = read_it(address)
    row = the(session, import_id)
    fields = {column["letter"]: column["field"] for column in row.found["tables"][0]["columns"]}  # type: ignore[index]
    assert (fields["C"], fields["F"]) == ("occupation", None)
    assert row.options["remembered"]["missing"] == ["Cột hai"]
    assert row.options["remembered"]["new"] == ["Cột ba"]
    page = browser.get(f"{address}/columns").text
    assert "Cột hai" in page


def test_lists_of_another_kind_or_of_others_are_left_alone(
    browser: FlaskClient, signed_in: Browser, session: Session, make: Make
) -> None:
    first = csv("Nguyễn Văn An;1980;bán chè;0912345678;Ba Đình", head="Họ và tên;Năm sinh;Cột lạ;SĐT;Phường")
    corrected(browser, session, first, **{"0-C": "occupation"})
    other = csv("Lê Thị Lan;Kinh;x;y;Ba Đình", head="Họ và tên;Dân tộc;Mã;Khối;Phường")
    unlike = read_it(upload(browser, "b.csv", other))
    assert "remembered" not in the(session, unlike).options
    somebody = signed_in(make.user(Role.MANAGER))
    theirs = read_it(upload(somebody, "a.csv", first))
    assert "remembered" not in the(session, theirs).options


def shown(browser: FlaskClient, session: Session, address: str, **said: Any) -> UUID:
    """A list whose headings somebody shows, and whose columns are then right."""
    assert browser.post(f"{address}/headings", data=said).status_code == 303
    import_id = read_it(address)
    assert browser.post(f"{address}/read-again", data={}).status_code == 303
    if the(session, import_id).state is ImportState.QUEUED:
        read_list(str(import_id))
    return import_id


def test_headings_that_somebody_showed_are_found_again_in_the_next_list(
    browser: FlaskClient, signed_in: Browser, session: Session, make: Make
) -> None:
    head = "Chủ thể;Mốc;Máy;Nơi"
    first = csv("Nguyễn Văn An;1980;0912345678;Ba Đình", "Lê Thị Mai;1970;0912345679;Ba Đình", head=f"Ghi chú\n{head}")
    address = upload(browser, "thang-9.csv", first)
    read_it(address)
    shown(browser, session, address, **{"name": "thang-9", "0-row": "2"})
    assert session.scalars(select(RememberedColumns.headed)).one() == {"thang-9": [2]}

    second = csv("Đỗ Thị Lan;1975;0987654321;Ba Đình", "Lê Hà;1971;0987654322;Ba Đình", head=f"Tháng mười\n{head}")
    address = upload(browser, "thang-10.csv", second)
    row = the(session, read_it(address))
    assert row.found["tables"][0]["header_rows"] == [2]  # type: ignore[index]
    assert row.options["remembered"]["filename"] == "thang-9.csv"
    assert "thang-9.csv" in browser.get("/imports/remembered").text

    somebody = signed_in(make.user(Role.MANAGER))
    theirs = the(session, read_it(upload(somebody, "thang-10.csv", second)))
    assert "headed" not in theirs.options
    assert not theirs.found or theirs.found["tables"][0]["header_rows"] != [2]


def test_columns_of_a_list_without_headings_are_remembered_by_their_letters(
    browser: FlaskClient, session: Session
) -> None:
    def bare(*rows: str) -> bytes:
        return "\n".join(rows).encode()

    first = bare("Nguyễn Văn An;1980;0912345678;Ba Đình;bán chè", "Lê Thị Mai;1970;0912345679;Ba Đình;thợ may")
    address = upload(browser, "a.csv", first)
    import_id = read_it(address)
    assert the(session, import_id).found["tables"][0]["header_rows"] == []  # type: ignore[index]
    browser.post(f"{address}/read-again", data={"0-D": "ward", "0-E": "occupation"})
    read_list(str(import_id))

    same = upload(browser, "b.csv", bare("Đỗ Thị Lan;1975;0987654321;Ba Đình;nội trợ", "Lê Hà;1971;;Ba Đình;thợ nề"))
    again = the(session, read_it(same))
    fields = {column["letter"]: column["field"] for column in again.found["tables"][0]["columns"]}  # type: ignore[index]
    assert (again.state, fields["D"], fields["E"]) == (ImportState.READY, "ward", "occupation")
    wider = upload(browser, "c.csv", bare("Đỗ Thị Lan;1975;0987654321;Ba Đình;nội trợ;x", "Lê Hà;1971;;Ba Đình;nề;y"))
    assert "remembered" not in the(session, read_it(wider)).options
    headed = upload(browser, "d.csv", csv("Đỗ Lan;1975;0987654321;Ba Đình;x", head="Họ tên;Năm sinh;SĐT;Phường;Nghề"))
    assert "remembered" not in the(session, read_it(headed)).options


def test_the_ward_a_list_was_handed_in_for_stands_on_its_page_and_can_be_taken_away(
    browser: FlaskClient, session: Session, make: Make
) -> None:
    ward = make.ward()
    address = upload(
        browser, "a.csv", csv("Nguyễn Văn An;1980;Ba Đình", head="Họ tên;Năm sinh;Phường"), place=str(ward.id)
    )
    import_id = read_it(address)
    assert f'selected value="{ward.id}"' in browser.get(f"{address}/columns").text
    browser.post(f"{address}/read-again", data={})
    assert the(session, import_id).place_id == ward.id
    browser.post(f"{address}/read-again", data={"place": ""})
    assert the(session, import_id).place_id is None


def test_remembered_columns_are_seen_and_forgotten(
    browser: FlaskClient, signed_in: Browser, session: Session, make: Make
) -> None:
    first = csv("Nguyễn Văn An;1980;bán chè;0912345678;Ba Đình", head="Họ và tên;Năm sinh;Cột lạ;SĐT;Phường")
    corrected(browser, session, first, **{"0-C": "occupation"})
    assert "Cột lạ" in browser.get("/imports/remembered").text
    kept = session.scalars(select(RememberedColumns.id)).one()
    lead = signed_in(make.user(Role.LEAD, organisation_id=make.organisation().id))
    assert "Cột lạ" not in lead.get("/imports/remembered").text
    assert lead.post("/imports/remembered/forget", data={"id": str(kept)}).status_code == 404
    again = signed_in(make.user(Role.MANAGER))
    assert again.post("/imports/remembered/forget", data={"id": "nonsense"}).status_code == 404
    assert again.post("/imports/remembered/forget", data={"id": str(kept)}).status_code == 303
    assert count(session, RememberedColumns) == 0


def test_the_kind_can_be_changed(browser: FlaskClient, session: Session) -> None:
    address = upload(browser, "nguoi-tham-gia-cua-bhxh.csv")
    import_id = read_it(address)
    assert browser.post(f"{address}/read-again", data={"kind": "people"}).status_code == 303
    read_list(str(import_id))
    row = the(session, import_id)
    assert (row.kind, row.state) == (ListKind.PEOPLE, ImportState.READY)
    assert all("paid_through" not in str(one) for one in row.found["tables"][0]["columns"])  # type: ignore[index]


def test_one_sheet_of_several_can_be_loaded(browser: FlaskClient, session: Session) -> None:
    address = upload(browser, "ho-ngheo-can-ngheo-2019.xlsx")
    import_id = read_it(address)
    assert browser.post(f"{address}/read-again", data={"sheet": "Hộ cận nghèo"}).status_code == 303
    read_list(str(import_id))
    assert set(session.scalars(select(ImportRow.sheet).where(ImportRow.import_id == import_id))) == {"Hộ cận nghèo"}


def test_a_list_that_keeps_failing_is_given_up_in_the_end(browser: FlaskClient, session: Session) -> None:
    address = upload(browser, "x.csv", csv("Nguyễn Văn An;1980", head="Họ và tên;Năm sinh"))
    import_id = read_it(address)
    assert the(session, import_id).state is ImportState.FAILED
    for _try in range(MOST_TRIES):
        assert browser.post(f"{address}/read-again", data={}).status_code == 303
        read_list(str(import_id))
    assert browser.post(f"{address}/read-again", data={}).status_code == 422
    assert "read-again" not in browser.get(address).text


# ---- decisions


def kept_and_likely(browser: FlaskClient, session: Session, make: Make) -> tuple[str, UUID]:
    """A list of three, each with the citizen number of somebody here whose name is written otherwise."""
    numbers = ["038180123456", "038180123457", "038180123458"]
    people = [
        f"Lê Thị {name};1980;Nữ;;Ba Đình;{number}" for name, number in zip(("Lan", "Hồng", "Mai"), numbers, strict=True)
    ]
    head = "Họ và tên;Năm sinh;Giới tính;SĐT;Phường;CCCD"
    address = upload(browser, "mot.csv", csv(*people, head=head))
    import_id = read_it(address)
    browser.post(f"{address}/commit")
    commit_list(str(import_id))
    others = [
        f"Phạm {name} Vân;1980;Nữ;091234567{at};Ba Đình;{number}"
        for at, (name, number) in enumerate(zip(("Thu", "Bích", "Hải"), numbers, strict=True))
    ]
    address = upload(browser, "hai.csv", csv(*others, head=head))
    return address, read_it(address)


def test_duplicates_stand_beside_each_other_and_are_decided(browser: FlaskClient, session: Session, make: Make) -> None:
    address, import_id = kept_and_likely(browser, session, make)
    page = browser.get(f"{address}?tab=duplicate").text
    assert "Đặt cạnh nhau: Phạm Thu Vân" in page
    assert "Lê Thị Lan" in page
    assert "038180123456" not in page
    ids = list(
        session.scalars(select(ImportRow.id).where(ImportRow.import_id == import_id).order_by(ImportRow.row_number))
    )
    assert browser.post(f"{address}/rows/{ids[0]}", data={"decision": "same"}).status_code == 303
    assert browser.post(f"{address}/rows/{ids[1]}", data={"decision": "add"}).status_code == 303
    browser.post(f"{address}/commit")
    commit_list(str(import_id))
    lan = session.scalars(select(Prospect).where(Prospect.full_name == "Lê Thị Lan")).one()
    assert lan.phone == "+84912345670"
    assert count(session, Prospect) == 4
    assert (
        browser.post(f"{address}/rows/{ids[2]}", data={"decision": "same"}).status_code == 303
    )  # after loading, at once
    session.expire_all()
    assert session.scalars(select(Prospect.phone).where(Prospect.full_name == "Lê Thị Mai")).one() == "+84912345672"
    browser.post(f"{address}/undo")
    undo_list(str(import_id))
    session.expire_all()
    assert session.scalars(select(Prospect.phone).where(Prospect.full_name == "Lê Thị Mai")).one() is None
    assert session.scalar(select(func.count()).where(Prospect.merged_into_id.is_(None))) == 3


def test_who_presses_twice_reads_on_the_list_s_own_page_where_it_stands(browser: FlaskClient, session: Session) -> None:
    address = upload(browser, "a.csv", csv("Lê Thị Lan;1980;Nữ;0912345678;Ba Đình"))
    import_id = read_it(address)
    assert browser.post(f"{address}/commit").status_code == 303
    again = browser.post(f"{address}/commit")
    assert (again.status_code, again.location) == (303, address)
    assert "đã nhập hoặc đang được xử lý" in browser.get(address).text
    commit_list(str(import_id))
    assert count(session, Prospect) == 1
    assert browser.post(f"{address}/undo").status_code == 303
    assert browser.post(f"{address}/undo").location == address
    assert browser.post(f"{address}/give-up").status_code == 303
    undo_list(str(import_id))
    assert the(session, import_id).state is ImportState.UNDONE


def test_a_row_that_repeats_another_stands_beside_it(browser: FlaskClient, session: Session) -> None:
    head = "Họ và tên;Năm sinh;Giới tính;SĐT;Phường;CCCD"
    twice = ["Lê Thị Lan;1980;Nữ;0912345678;Ba Đình;038180123456", "Lê Thị Lan;1980;Nữ;0987654321;Ba Đình;038180123456"]
    address = upload(browser, "a.csv", csv(*twice, head=head))
    read_it(address)
    page = browser.get(f"{address}?tab=duplicate").text
    assert "Dòng 2 ghi" in page
    assert "0912 345 678" in page
    assert "Cả 1 dòng trùng số căn cước" in page


def test_all_with_the_same_number_are_decided_at_once(browser: FlaskClient, session: Session, make: Make) -> None:
    address, import_id = kept_and_likely(browser, session, make)
    assert "Cả 3 dòng trùng số căn cước" in browser.get(f"{address}?tab=duplicate").text
    answer = browser.post(f"{address}/decide-all", data={"decision": "same", "reason": "citizen_id"})
    assert answer.status_code == 303
    assert browser.post(f"{address}/decide-all", data={"decision": "take"}).status_code == 422
    browser.post(f"{address}/commit")
    commit_list(str(import_id))
    assert count(session, Prospect) == 3
    assert the(session, import_id).updated == 3


def test_what_taking_back_would_do_is_told_before_it_is_done(browser: FlaskClient, session: Session) -> None:
    address = upload(browser, "a.csv", csv("Nguyễn Văn An;1980;Nam;0912345678;Ba Đình", "Lê Thị Lan;1975;Nữ;;Ba Đình"))
    import_id = read_it(address)
    browser.post(f"{address}/commit")
    commit_list(str(import_id))
    an = session.scalars(select(Prospect).where(Prospect.full_name == "Nguyễn Văn An")).one()
    an.occupation = "thợ xây"
    session.commit()
    assert f'href="{address}/undo"' in browser.get(address).text
    page = browser.get(f"{address}/undo").text
    assert "kể cả của người đã có trong sổ từ trước" not in page
    assert "Giữ lại: sau khi nhập đã có người sửa." in page
    told = undoing.foresee(session, the(session, import_id))
    assert (told.removed, told.restored, told.stay) == (1, 0, {undoing.CHANGED_SINCE: 1})
    assert count(session, Prospect) == 2
    assert the(session, import_id).state is ImportState.COMMITTED


def test_who_was_kept_is_named_when_a_list_is_taken_back(browser: FlaskClient, session: Session, make: Make) -> None:
    address = upload(browser, "a.csv", csv("Nguyễn Văn An;1980;Nam;0912345678;Ba Đình", "Lê Thị Lan;1975;Nữ;;Ba Đình"))
    import_id = read_it(address)
    browser.post(f"{address}/commit")
    commit_list(str(import_id))
    an = session.scalars(select(Prospect).where(Prospect.full_name == "Nguyễn Văn An")).one()
    an.occupation = "thợ xây"
    session.commit()
    browser.post(f"{address}/undo")
    undo_list(str(import_id))
    page = browser.get(address).text
    assert f'href="/people/{an.id}"' in page
    assert "Những người được giữ lại và lý do" in page


# ---- rows as people wrote them


def in_tcvn3(text: str) -> str:
    back = {chr(new): chr(old) for old, new in _TCVN3.items() if isinstance(new, int)}
    return "".join(back.get(sign, sign) for sign in text)


def old_sheet() -> bytes:
    """A workbook in TCVN3 letters with numbers as spreadsheets keep them; its second row is to be mended."""
    told = io.BytesIO()
    with xlsxwriter.Workbook(told, {"in_memory": True}) as book:
        page = book.add_worksheet("A")
        rows: list[list[Any]] = [
            ["STT", "Họ và tên", "Năm sinh", "Giới tính", "Số điện thoại", "CCCD", "Phường", "Nơi ở"],
            [7, "Nguyễn Thị Hường", 1980, "Nữ", "12", "038180123456", "Ba Đình", "Thôn Đông"],
            [8, "Trần Văn Dũng", 1983, "Nam", "0912345678", "038083123119", "Ba Đình", "Phố Mỹ"],
            [9, "Lê Đức Mạnh 2", 1983, "Nam", "0912345679", "038083123118", "Ba Đình", "Phố Hồng"],
        ]
        for at, row in enumerate(rows):
            for place, cell in enumerate(row):
                page.write(at, place, in_tcvn3(cell) if isinstance(cell, str) else cell)
    return told.getvalue()


def test_rows_to_mend_of_a_sheet_in_old_letters_are_unicode_and_load_again(
    browser: FlaskClient, session: Session
) -> None:
    address = upload(browser, "a.xlsx", old_sheet())
    read_it(address)
    page = browser.get(f"{address}?tab=rejected").text
    assert "9 · Lê Đức Mạnh 2 · 1983 · Nam · 0912345679 · 038***118" in page
    assert "038083123118" not in page
    columns = browser.get(f"{address}/columns").text
    assert "038***119" in columns
    assert "038083123119" not in columns
    book = browser.get(f"{address}/errors.xlsx").data
    cells = [cell.value for cell in openpyxl.load_workbook(io.BytesIO(book)).active[2]]
    assert cells[:8] == [9, "Lê Đức Mạnh 2", 1983, "Nam", "0912345679", "038083123118", "Ba Đình", "Phố Hồng"]
    again = upload(browser, "b.xlsx", book)
    read_it(again)
    assert "Lê Đức Mạnh 2" in browser.get(f"{again}?tab=rejected").text


def test_a_remark_names_its_column_and_what_stands_there(browser: FlaskClient) -> None:
    address = upload(browser, "a.xlsx", old_sheet())
    read_it(address)
    page = browser.get(f"{address}?tab=new").text
    assert "cột E: “12”" in page
    assert "cột –" not in page


def test_a_neighbourhood_is_told_by_its_name(browser: FlaskClient, session: Session, make: Make) -> None:
    ward = make.ward()
    old = make.add(
        Place(
            town_id=ward.town_id,
            kind=PlaceKind.NEIGHBOURHOOD,
            name="Tổ dân phố 1",
            name_fold="to dan pho 1",
            parent_id=ward.id,
            valid_from=date(2019, 1, 1),
        )
    )
    make.prospect("Lê Thị Mai", birth_year=1980, phone="+84912345672", neighbourhood_id=old.id)
    head = "Họ và tên;Năm sinh;Giới tính;SĐT;Phường;Tổ dân phố"
    address = upload(browser, "a.csv", csv("Lê Thị Mai;1980;Nữ;0912345672;Ba Đình;Tổ dân phố 2", head=head))
    read_it(address)
    row = session.scalars(select(ImportRow)).one()
    browser.post(f"{address}/rows/{row.id}", data={"decision": "same"})
    pages = browser.get(f"{address}?tab=changed").text + browser.get(f"{address}?tab=unchanged").text
    assert "Tổ dân phố 1" in pages
    assert str(old.id) not in pages


# ---- the rows to mend


def test_mended_rows_find_their_headings_and_settle(browser: FlaskClient, session: Session) -> None:
    rows = [
        "Nguyễn Văn An;1980;Nam;0912345678;Ba Đình;=1+1",
        "Lê Thị Lan;31/02/1975;Nữ;0987654321;Ba Đình;@nhà",
        "Trần Văn Dũng;2050;Nam;;Ba Đình;-x",
    ]
    address = upload(browser, "a.csv", csv(*rows, head="Họ và tên;Năm sinh;Giới tính;SĐT;Phường;Ghi chú"))
    import_id = read_it(address)
    browser.post(f"{address}/commit")
    commit_list(str(import_id))
    book = openpyxl.load_workbook(io.BytesIO(browser.get(f"{address}/errors.xlsx").data))
    sheet = book.active
    assert sheet is not None
    told = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert [row[0] for row in told] == ["Họ và tên", "Lê Thị Lan", "Trần Văn Dũng"]
    assert "31/02/1975" in str(told[1][6])
    for place, row in enumerate(sheet.iter_rows(min_row=2), start=2):
        assert row[5].data_type == "s"
        assert row[5].quotePrefix
        sheet.cell(place, 2).value = 1975
    mended = io.BytesIO()
    book.save(mended)
    again = upload(browser, "mended.xlsx", mended.getvalue())
    second = read_it(again)
    listed = the(session, second)
    fields = [column["field"] for column in listed.found["tables"][0]["columns"]]  # type: ignore[index]
    assert fields == ["full_name", "birth", "sex", "phone", "ward", "note", None, None, None]
    assert (listed.valid, listed.rejected) == (2, 0)
    browser.post(f"{again}/commit")
    commit_list(str(second))
    assert count(session, Prospect) == 3


# ---- for programs and at the terminal


def test_a_program_says_what_a_list_is_and_decides(
    client: FlaskClient, api: Callable[..., dict[str, str]], manager: User, session: Session
) -> None:
    headers = api(manager)

    def hand_in(name: str, content: bytes, **more: Any) -> dict[str, Any]:
        answer = client.post("/api/v1/imports", data={"file": (io.BytesIO(content), name), **more}, headers=headers)
        assert answer.status_code == 201, answer.text
        read_list(answer.json["id"])  # type: ignore[index]
        told: dict[str, Any] = client.get(f"/api/v1/imports/{answer.json['id']}", headers=headers).json  # type: ignore[index,assignment]
        return told

    first = hand_in(
        "a.csv",
        csv("Nguyễn Văn An;1980;Nam;0912345678;Ba Đình", "Nguyễn Văn An;1980;Nam;0912345678;Ba Đình"),
        kind="people",
        map=["note=C"],
    )
    assert (first["state"], first["kind"], first["duplicates"]) == ("ready", "people", 1)
    url = f"/api/v1/imports/{first['id']}"
    (row,) = client.get(f"{url}/rows?outcome=duplicate", headers=headers).json["items"]  # type: ignore[index]
    assert row["full_name"] == "Nguyễn Văn An"
    assert client.post(f"{url}/rows/{row['id']}", json={"decision": "same"}, headers=headers).status_code == 200
    assert client.post(f"{url}/decisions", json={"decision": "skip"}, headers=headers).json == {"decided": 0}
    people = hand_in("b.csv", csv("Lê Thị Lan;1975;Nữ;;Ba Đình"), kind="poor_households")
    assert people["kind"] == "poor_households"
    refused = client.post(
        "/api/v1/imports", data={"file": (io.BytesIO(b"MZ\x90\0 program"), "list.pdf")}, headers=headers
    )
    assert refused.status_code == 422
    assert re.search(r"spreadsheet|bảng tính", refused.text)


def test_a_program_puts_columns_right_as_the_page_does(
    client: FlaskClient, api: Callable[..., dict[str, str]], manager: User, session: Session
) -> None:
    headers = api(manager)
    content = csv("Nguyễn Văn An;1980;bán chè;0912345678;Ba Đình", head="Họ và tên;Năm sinh;Cột lạ;SĐT;Phường")

    def handed_in(name: str) -> str:
        answer = client.post("/api/v1/imports", data={"file": (io.BytesIO(content), name)}, headers=headers)
        read_list(answer.json["id"])  # type: ignore[index]
        return f"/api/v1/imports/{answer.json['id']}"  # type: ignore[index]

    def fields(url: str) -> dict[str, str | None]:
        [table] = client.get(f"{url}/columns", headers=headers).json["tables"]  # type: ignore[index]
        return {column["column"]: column["field"] for column in table["columns"]}

    def put_right(url: str, *columns: dict[str, Any], **more: Any) -> Any:
        return client.post(f"{url}/columns", json={"columns": columns, **more}, headers=headers)

    url = handed_in("a.csv")
    assert fields(url) == {"A": "full_name", "B": "birth", "C": None, "D": "phone", "E": "ward"}
    for wrong in (
        [{"column": "Z", "field": "note"}],
        [{"column": "C", "field": "sheep"}],
        [{"column": "C", "field": "note", "sheet": "none such"}],
        [{"column": "C", "field": "note"}, {"column": "D", "field": "note"}],
        [{"column": "C", "field": "note"}, {"column": "cột lạ", "field": "occupation"}],
    ):
        assert put_right(url, *wrong).status_code == 422, wrong
    assert put_right(url, {"column": "B", "field": "birth"}).json["state"] == "ready"
    changed = put_right(url, {"column": "cột lạ", "field": "occupation"}, {"column": "D", "field": None})
    assert (changed.status_code, changed.json["state"]) == (202, "queued")
    assert put_right(url, {"column": "C", "field": "note"}).status_code == 409
    read_list(url.rpartition("/")[2])
    assert fields(url) == {"A": "full_name", "B": "birth", "C": "occupation", "D": None, "E": "ward"}
    assert fields(handed_in("b.csv"))["C"] == "occupation"


def test_columns_are_put_right_and_single_rows_decided_at_the_terminal(
    browser: FlaskClient, session: Session, tmp_path: Path
) -> None:
    def told(*words: str, wrong: bool = False) -> str:
        done = CliRunner().invoke(importing, words)
        assert done.exit_code == (2 if wrong else 0), done.output
        return done.output

    row = "Lê Thị Lan;1975;thợ may;0912345678;Ba Đình"
    content = csv(row, row, row, head="Họ và tên;Năm sinh;Cột lạ;SĐT;Phường")
    import_id = str(read_it(upload(browser, "a.csv", content)))
    assert "occupation" not in told("columns", import_id)
    told("columns", import_id, "--map", "occupation=Z", wrong=True)
    assert "occupation" in told("columns", import_id, "--map", "occupation=C")
    told("decide", import_id, "same", "9", wrong=True)
    told("decide", import_id, "same", "3")
    told("load", import_id)
    told("load", import_id, wrong=True)
    [aside] = told("rows", import_id, "--outcome", "duplicate").splitlines()[1:]
    told("decide", import_id, "add", aside.split()[0])
    told("decide", import_id, "skip", aside.split()[0], wrong=True)
    found = session.execute(select(Prospect.full_name, Prospect.occupation)).all()
    assert found == [("Lê Thị Lan", "thợ may")] * 2


def test_at_the_terminal_the_kind_and_the_decisions_are_named(app: Flask, session: Session, tmp_path: Path) -> None:
    file = tmp_path / "thang-9.csv"
    file.write_bytes(csv("Lê Thị Lan;1975;Nữ;;Ba Đình", "Lê Thị Lan;1975;Nữ;;Ba Đình"))
    run = CliRunner().invoke(importing, ["prospects", str(file), "--kind", "people", "--duplicates", "skip", "--json"])
    assert run.exit_code == 0, run.output
    told = json.loads(run.output)
    assert (told["kind"], told["created"]) == ("people", 1)
    assert (
        session.scalar(
            select(func.count()).where(ImportRow.outcome == RowOutcome.DUPLICATE, ImportRow.settled_at.is_not(None))
        )
        == 1
    )
    wrong = CliRunner().invoke(importing, ["prospects", str(file), "--kind", "sheep"])
    assert wrong.exit_code == 2


def test_a_list_is_taken_back_from_the_command_line(browser: FlaskClient, session: Session, tmp_path: Path) -> None:
    def told(*words: str) -> list[str]:
        done = CliRunner().invoke(importing, words)
        assert done.exit_code == 0, done.output
        return done.output.splitlines()

    file = tmp_path / "list.csv"
    file.write_bytes(csv("Lê Thị Lan;1980;Nữ;;Ba Đình", "Vũ Tú;1975;Nam;;Ba Đình", ";1975;Nam;0912345678;Ba Đình"))
    told("prospects", str(file))
    [line] = told("lists")
    import_id, named = line.split()[:2]
    assert named == "list.csv:"
    told("errors", import_id, "-o", str(tmp_path / "mend.xlsx"))
    assert openpyxl.load_workbook(tmp_path / "mend.xlsx").active.max_row == 2
    worked = session.scalars(select(Prospect).where(Prospect.full_name == "Vũ Tú")).one()
    worked.occupation = "Thợ may"
    session.commit()

    foreseen = told("undo", import_id, "--dry-run")
    assert [line.split()[0] for line in foreseen] == ["1", "0", "1"]
    assert count(session, Prospect) == 2
    assert [line.split()[0] for line in told("undo", import_id)] == ["1", "0", "1"]
    assert the(session, UUID(import_id)).state is ImportState.UNDONE
    assert session.scalars(select(Prospect.full_name).where(Prospect.merged_into_id.is_(None))).all() == ["Vũ Tú"]
    again = CliRunner().invoke(importing, ["undo", import_id])
    assert (again.exit_code, len(again.output.splitlines())) == (2, 1)


# ---- headings


def tops(session: Session, import_id: UUID) -> dict[str, list[int]]:
    tables = (the(session, import_id).found or {"tables": []})["tables"]
    return {table["sheet"]: table["header_rows"] for table in tables}


UNKNOWN_HEADINGS = "Danh sách chi hội\nNgười;Việc hay\n;làm\nNguyễn Văn An;thợ may\nLê Thị Lan;bán chè\nVũ Tú;đi chợ\n"


def test_the_row_of_headings_is_corrected_by_hand_and_the_columns_follow(
    browser: FlaskClient, session: Session
) -> None:
    lines = "Họ và tên;Năm sinh;Phường\nChi;hội;Một\nTên;Sinh;Phường xã\nNguyễn Văn An;1980;Ba Đình\n"
    address = upload(browser, "a.csv", lines.encode())
    import_id = read_it(address)
    assert tops(session, import_id) == {"a": [1]}
    assert "Nguyễn Văn An" in browser.get(f"{address}/headings").text
    answer = browser.post(f"{address}/headings", data={"name": "a", "0-row": "3"})
    assert answer.status_code == 303
    read_list(str(import_id))
    assert tops(session, import_id) == {"a": [3]}
    assert browser.get(address).headers["Location"].endswith("/columns")
    page = browser.get(f"{address}/columns").text
    assert "Tiêu đề cột nằm ở dòng 3" in page
    assert "Phường xã" in page


def test_a_list_whose_headings_nobody_knows_is_loaded_by_saying_where_they_are(
    browser: FlaskClient, session: Session
) -> None:
    answer = browser.post("/imports/new", data={"file": (io.BytesIO(UNKNOWN_HEADINGS.encode()), "chi-hoi.csv")})
    address = answer.headers["Location"].removesuffix("/headings")
    assert answer.status_code == 303
    assert address != answer.headers["Location"]
    assert "Người" in browser.get(f"{address}/headings").text
    browser.post(f"{address}/headings", data={"name": "chi-hoi", "0-row": ["2", "3"]})
    import_id = read_it(address)
    assert the(session, import_id).state is ImportState.FAILED  # the ward is still to be said
    columns = the(session, import_id).found["tables"][0]["columns"]  # type: ignore[index]
    assert [(one["heading"], one["field"]) for one in columns] == [
        ("Người", "full_name"),
        ("Việc hay làm", None),
    ]


def test_a_sheet_without_headings_is_said_to_have_none(browser: FlaskClient, session: Session) -> None:
    address = upload(browser, "a.csv", b"Ten;Nam sinh;Phuong\nNguyen Van An;1980;Ba Dinh\n")
    import_id = read_it(address)
    browser.post(f"{address}/headings", data={"name": "a", "0-none": "1"})
    read_list(str(import_id))
    assert tops(session, import_id) == {"a": []}


def test_rows_that_cannot_be_headings_are_refused_on_the_page(browser: FlaskClient, session: Session) -> None:
    address = upload(browser, "a.csv", csv("Nguyễn Văn An;1980;Nam;0912345678;Ba Đình"))
    import_id = read_it(address)
    answer = browser.post(f"{address}/headings", data={"name": "a", "0-row": ["1", "78"]})
    assert answer.status_code == 422
    assert "không thể là tiêu đề" in answer.text
    assert the(session, import_id).state is ImportState.READY


def test_headings_left_as_they_are_change_nothing(browser: FlaskClient, session: Session) -> None:
    address = upload(browser, "a.csv", csv("Nguyễn Văn An;1980;Nam;0912345678;Ba Đình"))
    import_id = read_it(address)
    answer = browser.post(f"{address}/headings", data={"name": "a", "0-row": "1"})
    assert answer.headers["Location"].endswith("/columns")
    assert the(session, import_id).state is ImportState.READY


def test_a_program_asks_what_taking_back_would_do_before_it_does(
    browser: FlaskClient, session: Session, client: FlaskClient, api: Callable[..., dict[str, str]], manager: User
) -> None:
    import_id = read_it(upload(browser, "a.csv", csv("Nguyễn Văn An;1980;Nam;0912345678;Ba Đình")))
    asked = f"/api/v1/imports/{import_id}/undo"
    assert client.get(asked, headers=api(manager)).status_code == 409
    browser.post(f"/imports/{import_id}/commit")
    commit_list(str(import_id))
    assert client.get(asked, headers=api(manager)).json == {"removed": 1, "restored": 0, "stay": []}
    assert the(session, import_id).state is ImportState.COMMITTED


def test_programs_and_the_command_say_rows_of_headings_as_people_do() -> None:
    assert options_of((), (), None, ["5-6", "Tờ 2=0", "Tờ=3=7"]) == {"headed": {"": [5, 6], "Tờ 2": [], "Tờ=3": [7]}}
    with pytest.raises(RuleBroken, match="names no row"):
        options_of((), (), None, ["dòng năm"])


def test_a_program_says_where_the_headings_stand(
    client: FlaskClient, api: Callable[..., dict[str, str]], manager: User, session: Session
) -> None:
    sent = {"file": (io.BytesIO(UNKNOWN_HEADINGS.encode()), "chi-hoi.csv"), "headings": ["2-3"]}
    answer = client.post("/api/v1/imports", data=sent, headers=api(manager))
    assert answer.status_code == 201, answer.json
    import_id = UUID(answer.json["id"])
    read_list(str(import_id))
    assert tops(session, import_id) == {"chi-hoi": [2, 3]}
    sent = {"file": (io.BytesIO(UNKNOWN_HEADINGS.encode()), "chi-hoi.csv"), "headings": ["70"]}
    assert client.post("/api/v1/imports", data=sent, headers=api(manager)).status_code == 422
