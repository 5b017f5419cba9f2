"""The paper: how offices write dates, numbers and names, the wording, and templates that can run nothing."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.errors import RuleBroken
from crm.places.models import Town
from crm.reports.documents import rules, wording
from crm.reports.documents.models import Report
from crm.reports.documents.paper import Paper, heads, on_letterhead, shown
from crm.reports.documents.printing import excel, pdf, word
from crm.reports.documents.rules import State
from crm.reports.documents.showing import sample
from tests.factories import Make
from tests.reports.documents.stories import made

DAY = date(2019, 10, 3)


@pytest.fixture(scope="module")
def paper() -> Paper:
    return sample(Town(name="Thị xã Bỉm Sơn"), DAY)


# ---- the decree's small rules


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2027, 1, 5), "ngày 05 tháng 01 năm 2027"),
        (date(2019, 2, 28), "ngày 28 tháng 02 năm 2019"),
        (date(2019, 3, 9), "ngày 09 tháng 3 năm 2019"),
        (date(2019, 12, 10), "ngày 10 tháng 12 năm 2019"),
    ],
)
def test_a_zero_stands_before_days_under_ten_and_the_first_two_months(day: date, words: str) -> None:
    assert rules.written_day(day) == words


def test_a_number_has_its_zero_and_a_draft_a_gap() -> None:
    assert rules.written_number(5, "BC-UBND") == "Số: 05/BC-UBND"
    assert rules.written_number(112, "BC-UBND") == "Số: 112/BC-UBND"
    assert rules.written_number(None, "BC-UBND") == "Số:         /BC-UBND"


def test_the_number_of_the_page_moved_up_with_the_decree() -> None:
    assert not rules.layout_on(date(2020, 3, 4)).page_number_on_top
    assert rules.layout_on(date(2020, 3, 5)).page_number_on_top


@pytest.mark.parametrize(
    ("place", "day", "superior", "issuer", "symbol"),
    [
        (
            None,
            date(2019, 10, 1),
            "UBND thị xã Bỉm Sơn",
            "Phòng Lao động - Thương binh và Xã hội",
            "BC-LĐTBXH",
        ),
        ("Phường Ba Đình", date(2025, 6, 30), "", "Ủy ban nhân dân phường Ba Đình", "BC-UBND"),
        ("Xã Hà Lan", date(2019, 10, 1), "", "Ủy ban nhân dân xã Hà Lan", "BC-UBND"),
        ("Phường Bỉm Sơn", date(2025, 7, 1), "UBND phường Bỉm Sơn", "Phòng Văn hóa - Xã hội", "BC-VHXH"),
        (None, date(2025, 7, 1), "Bảo hiểm xã hội tỉnh", "Bảo hiểm xã hội cơ sở Bỉm Sơn", "BC-BHXH"),
    ],
)
def test_the_head_is_right_for_the_unit_and_the_day(
    place: str | None, day: date, superior: str, issuer: str, symbol: str
) -> None:
    head = rules.usual_head("Thị xã Bỉm Sơn", place, day)
    assert (head.superior, head.issuer, head.symbol) == (superior, issuer, symbol)


def test_recipients_end_with_semicolons_and_the_last_with_a_full_stop(paper: Paper) -> None:
    *rest, last = paper.recipients
    assert all(line.startswith("- ") and line.endswith(";") for line in rest)
    assert last == "- Lưu: VT."
    assert paper.closing.endswith("./.")


def test_cells_are_written_as_offices_do() -> None:
    assert [shown(1385, "number"), shown(84.95, "percent"), shown(None, "number"), shown(None, "place")] == [
        "1.385",
        "84,95",
        "–",
        "",
    ]


def test_a_head_of_two_rows_groups_its_columns() -> None:
    columns = [{"text": text, "group": group} for text, group in (("A", ""), ("B", "G"), ("C", "G"), ("D", ""))]
    assert heads({"columns": columns}) == ([("A", 1, 2), ("G", 2, 1), ("D", 1, 2)], ["B", "C"])


@pytest.mark.parametrize(
    ("today", "kind", "period"),
    [
        (date(2019, 10, 15), "month", "2019-09"),
        (date(2019, 10, 3), "month", "2019-09"),
        (date(2019, 1, 4), "month", "2018-12"),
        (date(2019, 12, 5), "year", "2019"),
        (date(2019, 12, 10), "month", "2019-11"),
    ],
)
def test_the_report_one_comes_for_is_the_first_choice(today: date, kind: str, period: str) -> None:
    assert rules.suggested(today) == (kind, period)


# ---- the wording


def facts(**more: Any) -> dict[str, Any]:
    row = ["now", "start_of_year", "joined", "returned", "stopped", "compulsory", "left_otherwise", "up", "down"]
    total = dict.fromkeys((*row, "year_before", "poor", "near_poor", "minority", "others", "left"), 0)
    found: dict[str, Any] = {
        "kind": "month",
        "period": "2019-10",
        "as_of": "2019-10-31",
        "town": "Thị xã Bỉm Sơn",
        "place": None,
        "tables": [{"rows": [[None, "Tổng cộng", *[0] * 16, ""]]}],
        "target": None,
        "total": total | {"target": None} | more.pop("total", {}),
        "compared": False,
        "due_after": None,
        "why_stopped": [],
        "why_refused": [],
        "organisations": [],
        "helped": {"poor": 0, "near_poor": 0, "others": 0, "months": 0},
        "told": {"sent": 0},
        "paid": {"total": 0},
        "corrections": [],
    }
    return found | more


HEAD = rules.usual_head("Thị xã Bỉm Sơn", None, DAY)


def said(section: rules.Section, **more: Any) -> str:
    return wording.first_wording(facts(**more), HEAD)[section]


def test_the_target_is_said_with_what_is_missing() -> None:
    told = said(rules.Section.NUMBER, total={"now": 1247, "target": 1385})
    assert (
        "1.247 người đang tham gia BHXH tự nguyện, đạt 90,04% chỉ tiêu giao năm (1.385 người), còn thiếu 138 người."
        in told
    )
    assert "đạt chỉ tiêu" in said(rules.Section.NUMBER, total={"now": 1385, "target": 1385})
    assert "vượt 15 người" in said(rules.Section.NUMBER, total={"now": 1400, "target": 1385})


def test_nothing_is_invented_in_an_empty_month() -> None:
    told = wording.first_wording(facts(), HEAD)
    assert "Trong kỳ không có người tăng, không có người giảm." in told[rules.Section.NUMBER]
    fewer = said(rules.Section.NUMBER, total={"stopped": 148, "left": 148})
    assert "Trong kỳ không có người tăng, có 148 người giảm (dừng đóng 148 người)." in fewer
    assert told[rules.Section.PROPOSALS] == "Không."
    assert "cùng kỳ" not in told[rules.Section.NUMBER]
    assert all(told.values())


def test_the_opening_names_the_plan() -> None:
    target = {"people": 1385, "document": "Kế hoạch số 1553/KH-UBND", "authority": "UBND thị xã Bỉm Sơn"}
    told = said(rules.Section.OPENING, target=target)
    assert told.startswith("Thực hiện Kế hoạch số 1553/KH-UBND của UBND thị xã Bỉm Sơn về chỉ tiêu")
    bare = said(rules.Section.OPENING, target=target | {"document": "1553/KH-UBND"})
    assert bare == told
    assert "Phòng Lao động - Thương binh và Xã hội thị xã Bỉm Sơn báo cáo kết quả" in told


def test_the_same_figures_give_the_same_words() -> None:
    assert wording.first_wording(facts(), HEAD) == wording.first_wording(facts(), HEAD)


def test_the_seal_does_not_depend_on_the_order_of_keys() -> None:
    assert rules.digest_of({"a": 1, "b": {"c": "đ", "d": None}}) == rules.digest_of(
        {"b": {"d": None, "c": "đ"}, "a": 1}
    )


# ---- files


def test_every_file_is_the_same_bytes_again(app: Flask, paper: Paper) -> None:
    for make in (word.document, excel.workbook, pdf.document):
        assert make(paper) == make(paper)


def test_what_people_are_called_is_never_markup(paper: Paper) -> None:
    strange = '<w:p/>&"{{ 7*7 }}=cmd|x'
    named = replace(paper, head=replace(paper.head, signer=strange), text=dict.fromkeys(rules.Section, strange))
    with zipfile.ZipFile(io.BytesIO(word.document(named))) as packed:
        written = packed.read("word/document.xml").decode()
    assert "{{ 7*7 }}" in written
    assert "&lt;w:p/&gt;&amp;" in written
    assert pdf.document(named).startswith(b"%PDF")


def test_no_line_at_the_head_of_the_paper_begins_with_a_dash() -> None:
    assert on_letterhead("Phòng Lao động - Thương binh") == "PHÒNG LAO ĐỘNG\N{NO-BREAK SPACE}- THƯƠNG BINH"


# ---- templates of offices


def changed(part: str, before: str, after: str) -> bytes:
    """The shipped template with a text changed."""
    packed_anew = io.BytesIO()
    with zipfile.ZipFile(word.SHIPPED) as old, zipfile.ZipFile(packed_anew, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == part:
                assert before in content.decode()
                content = content.decode().replace(before, after, 1).encode()
            new.writestr(name, content)
    return packed_anew.getvalue()


BODY, PLACE = "word/document.xml", "{{ tieu_de }}"


def test_the_shipped_template_is_accepted_as_ones_own(paper: Paper) -> None:
    word.check("mau.docx", word.SHIPPED.read_bytes(), paper)


def test_an_office_may_change_words_and_leave_places_out(paper: Paper) -> None:
    own = changed(BODY, "Độc lập - Tự do - Hạnh phúc", "Độc lập – Tự do – Hạnh phúc")
    own_too = changed(BODY, PLACE, "Đạt {{ ty_le }}% ({{ dang_tham_gia }}/{{ chi_tieu }})")
    for content in (own, own_too):
        word.check("mau.docx", content, paper)
    with zipfile.ZipFile(io.BytesIO(word.document(paper, own_too))) as packed:
        assert "Đạt 96,00% (96/100)" in packed.read(BODY).decode()


@pytest.mark.parametrize(
    ("put", "told"),
    [
        ("{{ ten_la }}", "«ten_la»"),
        ("{{ tieu_de.__class__ }}", "«….__class__»"),
        ("{{ cycler.__init__.__globals__.os.popen('id').read() }}", ""),
        ("{{ 'a' * 1000000000 }}", ""),
        ("{% for a in range(9) %}{{ a }}{% endfor %}", ""),
        (
            "{% for a in bieu %}{% for b in bieu %}{% for c in bieu %}{% for d in bieu %}x{% endfor %}{% endfor %}{% endfor %}{% endfor %}",
            "",
        ),
        ("{% include 'x' %}", ""),
        ("{{ tieu_de|replace('a', 'b') }}", ""),
        ("{{ tieu_de", "«{{ tieu_de"),
        ("{% if tieu_de %}", "no end"),
    ],
)
def test_a_template_that_does_more_than_show_is_refused(paper: Paper, put: str, told: str) -> None:
    with pytest.raises(RuleBroken) as refused:
        word.check("mau.docx", changed(BODY, PLACE, put), paper)
    assert refused.value.field == "file"
    assert told in str(refused.value)


def test_a_template_must_keep_the_number_and_the_seal(paper: Paper) -> None:
    with pytest.raises(RuleBroken) as refused:
        word.check("mau.docx", changed(BODY, "{{ ma_kiem_tra }}", ""), paper)
    assert "«ma_kiem_tra»" in str(refused.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("mau.doc", b"x"),
        ("mau.docx", b""),
        ("mau.docx", b"not a zip"),
        ("mau.docx", b"PK\x03\x04broken"),
        ("mau.docx", b"x" * (word.LARGEST + 1)),
        ("mau.docx", changed("docProps/core.xml", "Báo cáo", "{{ tieu_de }}")),
        ("mau.docx", changed("word/_rels/document.xml.rels", "<Relationship ", '<Relationship TargetMode="External" ')),
    ],
)
def test_what_is_no_word_document_is_refused_with_a_sentence(paper: Paper, name: str, content: bytes) -> None:
    with pytest.raises(RuleBroken) as refused:
        word.check(name, content, paper)
    assert refused.value.field == "file"


def test_a_zip_that_swells_is_refused(paper: Paper) -> None:
    packed_anew = io.BytesIO()
    with zipfile.ZipFile(packed_anew, "w", zipfile.ZIP_DEFLATED) as new:
        new.writestr("word/document.xml", b"0" * (word.LARGEST_UNPACKED + 1))
    with pytest.raises(RuleBroken):
        word.check("mau.docx", packed_anew.getvalue(), paper)


def test_a_template_is_brought_used_and_put_back(
    session: Session, make: Make, signed_in: Callable[..., FlaskClient]
) -> None:
    browser = signed_in(make.user(Role.MANAGER))
    shipped = browser.get("/reports/template/shipped.docx").data
    assert shipped == word.SHIPPED.read_bytes()

    def bring(content: bytes, name: str = "mau-cua-phong.docx") -> Any:
        return browser.post("/reports/template", data={"file": (io.BytesIO(content), name)})

    wrong = bring(changed(BODY, PLACE, "{{ la_qua }}"))
    assert (wrong.status_code, "«la_qua»" in wrong.text) == (422, True)
    assert bring(b"", "").status_code == 422
    own = changed(BODY, "BÁO CÁO", "BÁO CÁO NHANH")
    assert bring(own).status_code == 303
    address = made(browser, session)
    with zipfile.ZipFile(io.BytesIO(browser.get(f"{address}/file?format=docx").data)) as packed:
        assert "BÁO CÁO NHANH" in packed.read(BODY).decode()
    assert "«mau-cua-phong.docx»; tệp PDF vẫn trình bày theo mẫu có sẵn" in browser.get(address).text
    page = browser.get("/reports/template").text
    assert "mau-cua-phong.docx" in page
    assert "in từ tệp Word" in page
    assert browser.post("/reports/template/shipped").status_code == 303
    with zipfile.ZipFile(io.BytesIO(browser.get(f"{address}/file?format=docx").data)) as packed:
        assert "BÁO CÁO NHANH" not in packed.read(BODY).decode()
    assert "mau-cua-phong.docx" not in browser.get(address).text
    assert "trình bày theo Thông tư 01/2011/TT-BNV" in browser.get("/reports/template").text, "as on papers of 2019"


def test_a_letterhead_holds_from_its_day(session: Session, make: Make, signed_in: Callable[..., FlaskClient]) -> None:
    browser = signed_in(make.user(Role.MANAGER))
    said = {
        "valid_from": "2019-10-10",
        "superior": "",
        "issuer": "Ban Chỉ đạo",
        "symbol": "BC-BCĐ",
        "locality": "Bỉm Sơn",
        "sign_for": "KT. TRƯỞNG BAN\nPHÓ TRƯỞNG BAN",
        "signer": "Lê Văn A",
        "recipients": "- UBND thị xã;\n- Lưu: VT.",
    }
    assert browser.post("/reports/letterhead", data=said | {"issuer": ""}).status_code == 422
    assert browser.post("/reports/letterhead", data=said | {"valid_from": "x"}).status_code == 422
    assert browser.post("/reports/letterhead", data=said).status_code == 303
    page = browser.get(made(browser, session)).text
    for words in ("BAN CHỈ ĐẠO", "/BC-BCĐ", "PHÓ TRƯỞNG BAN", "- Lưu: VT.", "Lê Văn A"):
        assert words in page


def test_nobody_signs_a_letterhead_they_have_not_read(
    session: Session, make: Make, signed_in: Callable[..., FlaskClient]
) -> None:
    browser, chief = signed_in(make.user(Role.MANAGER)), signed_in(make.user(Role.MANAGER))
    address = made(browser, session)
    assert "/BC-LĐTBXH" in chief.get(address).text
    said = {
        "issuer": "Ban Chỉ đạo",
        "symbol": "BC-BCĐ",
        "locality": "Bỉm Sơn",
        "recipients": "Lưu: VT",
        "signer": "Lê B",
    }
    assert browser.post("/reports/letterhead", data=said | {"valid_from": "2019-10-01"}).status_code == 303
    read = {"version": "1", "number": "1", "signed_on": "2019-10-15", "signer": ""}
    assert chief.post(f"{address}/sign", data=read | {"signed_on": "2030-01-01"}).status_code == 422
    assert "/BC-LĐTBXH" in chief.get(address).text, "a day that may not be brings no letterhead"
    now = chief.post(f"{address}/sign", data=read)
    assert now.status_code == 422
    for words in (
        "/BC-BCĐ",
        "BAN CHỈ ĐẠO",
        "Ban Chỉ đạo báo cáo",
        "một đầu văn bản khác",
        'value="Lê B"',
    ):
        assert words in now.text, words
    assert session.scalars(select(Report.state)).one() is State.DRAFT
    assert chief.post(f"{address}/sign", data=read).status_code == 422, "the page read before is of another wording"
    assert chief.post(f"{address}/sign", data=read | {"version": "2"}).status_code == 303
    assert "01/BC-BCĐ" in chief.get(address).text


def test_a_lead_of_a_ward_speaks_for_that_ward_only(make: Make, signed_in: Callable[..., FlaskClient]) -> None:
    browser = signed_in(make.user(Role.LEAD, place_id=make.ward().id))
    page = browser.get(f"/reports/letterhead?place={make.ward('14821@2019-10-15').id}").text
    assert "Ủy ban nhân dân phường Ba Đình" in page
    assert (
        signed_in(make.user(Role.LEAD, organisation_id=make.organisation().id)).get("/reports/letterhead").status_code
        == 302
    )


def test_the_moment_of_a_sample_is_its_day(paper: Paper) -> None:
    assert paper.taken_at == clock.at(DAY)


def test_less_than_a_month_before_the_end_of_the_year_is_told_by_its_days() -> None:
    total = {"now": 1283, "target": 1385, "start_of_year": 1191}
    told = said(rules.Section.TASKS, total=total, as_of="2019-12-03")
    assert "đạt chỉ tiêu 1.385 người: trong 28 ngày còn lại phải tăng thuần 102 người." in told
    told = said(rules.Section.TASKS, total=total, as_of="2019-10-31")
    assert "bình quân mỗi tháng tăng thuần ít nhất 51 người." in told, "nobody gains a part of a person"
    assert "Phấn đấu đến 31/12" not in said(rules.Section.TASKS, total=total, as_of="2019-12-31")


def test_the_report_of_a_year_names_the_target_of_the_year_after() -> None:
    told = said(rules.Section.TASKS, total={"now": 1283}, next_target={"year": 2020, "people": 1477})
    assert "Năm 2020 phấn đấu có 1.477 người tham gia BHXH tự nguyện, tăng thuần 194 người so với hiện nay." in told


def test_margins_of_pages_across_are_those_of_the_decree() -> None:
    with zipfile.ZipFile(word.SHIPPED) as packed:
        written = packed.read("word/document.xml").decode()
    pages = [dict(re.findall(r'w:(\w+)="(\d+)"', one)) for one in re.findall(r"<w:pgMar [^>]*>", written)]
    assert len(pages) == 2
    for page in pages:
        in_mm = {side: int(page[side]) / 56.7 for side in ("top", "bottom", "left", "right")}
        assert 19.9 <= in_mm["top"] <= 25, in_mm
        assert 19.9 <= in_mm["bottom"] <= 25, in_mm
        assert 29.9 <= in_mm["left"] <= 35, in_mm
        assert 15 <= in_mm["right"] <= 20, in_mm
