"""Lists made up here, each with one kind of mess that offices produce."""

import datetime as dt
import io
import struct
import unicodedata
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

import openpyxl
import pytest

from crm.prospects.reading.columns import Field, Why
from crm.prospects.reading.lists import ListRead, read
from crm.prospects.reading.old_letters import Letters
from crm.prospects.reading.outcomes import Person, Reason, SameBecause

TODAY = dt.date(2026, 11, 22)
Rows = Sequence[Sequence[object]]


def workbook(
    rows: Rows, more: Mapping[str, Rows] | None = None, *, merge: Sequence[str] = (), title: str = "Sheet1"
) -> bytes:
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    first.title = title
    for sheet, content in [
        (first, rows),
        *((book.create_sheet(name), content) for name, content in (more or {}).items()),
    ]:
        for number, row in enumerate(content, start=1):
            for column, value in enumerate(row, start=1):
                if value is not None:
                    cell = sheet.cell(number, column)
                    cell.value = value
                    if isinstance(value, str):
                        cell.data_type = "s"
    for area in merge:
        first.merge_cells(area)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def table(rows: Rows, mapping: Mapping[str, str] | None = None) -> ListRead:
    return read(workbook(rows), "list.xlsx", today=TODAY, mapping=mapping)


def only(read_list: ListRead) -> Person:
    (person,) = read_list.people
    return person


HEAD: list[str] = ["Họ và tên", "Giới tính", "Năm sinh", "Số CCCD", "Điện thoại"]
LAN = ["Lê Thị Lan", "Nữ", 1980, "038180123456", "0912345678"]
DUNG = ["Trần Văn Dũng", "Nam", 1975, "", "0987654321"]


def test_columns_in_any_order() -> None:
    order = [4, 2, 0, 3, 1]
    person = table([[row[place] for place in order] for row in (HEAD, LAN, DUNG)]).people[0]
    assert (person.full_name, person.sex, person.birth_year) == ("Lê Thị Lan", "female", 1980)
    assert (person.citizen_id, person.phone) == ("038180123456", "+84912345678")


def test_english_headings_with_first_and_last_name() -> None:
    person = only(
        table(
            [
                [
                    "No.",
                    "Last name",
                    "First name",
                    "Gender",
                    "Date of birth",
                    "Mobile",
                    "ID card",
                    "Near-poor",
                    "Notes",
                ],
                [1, "Lê Thị", "Lan", "F", dt.datetime(1980, 3, 5), 912345678, "171234567", "x", "sells tea"],
            ]
        )
    )
    assert (person.full_name, person.sex, person.birth_date) == ("Lê Thị Lan", "female", dt.date(1980, 3, 5))
    assert (person.phone, person.citizen_id, person.standing, person.note) == (
        "+84912345678", "171234567", "near_poor", "sells tea",
    )  # fmt: skip


def test_headings_in_the_ninth_row_and_the_third_column() -> None:
    empty: list[object] = [None] * 3
    rows: Rows = [
        ["", "", "HỘI LIÊN HIỆP PHỤ NỮ PHƯỜNG NGỌC TRẠO"], empty, ["", "", "DANH SÁCH HỘI VIÊN", "năm 2026"], empty, empty,
        ["", "", "Kèm theo công văn số 12"], empty, empty, ["", "", *HEAD], ["", "", *LAN], ["", "", *DUNG],
    ]  # fmt: skip
    read_list = table(rows)
    assert read_list.tables[0].header_rows == (9,)
    assert [(person.row, person.full_name) for person in read_list.people] == [
        (10, "Lê Thị Lan"),
        (11, "Trần Văn Dũng"),
    ]
    assert read_list.ward_named == "Phường Ngọc Trạo"


def test_merged_headings_over_births_of_men_and_women() -> None:
    rows: Rows = [
        ["TT", "Họ tên", "Ngày tháng năm sinh", None, "SĐT"],
        [None, None, "Nam", "Nữ", None],
        [1, 2, 3, 4, 5],
        [1, "NGUYỄN VĂN AN", "5/3/1970", None, "0912345678"],
        [2, "lê thị bình", None, "1981", "0987654321"],
    ]
    read_list = read(workbook(rows, merge=["A1:A2", "B1:B2", "C1:D1", "E1:E2"]), "x.xlsx", today=TODAY)
    assert [(p.full_name, p.sex, p.birth_year, p.birth_date) for p in read_list.people] == [
        ("Nguyễn Văn An", "male", 1970, dt.date(1970, 3, 5)),
        ("Lê Thị Bình", "female", 1981, None),
    ]


def test_births_under_one_heading_each() -> None:
    person = table(
        [["Họ tên", "Ngày sinh Nam", "Ngày sinh Nữ"], ["Lê Thị Lan", None, "31-12-1980"], ["Trần Văn Dũng", 1970]]
    ).people[0]
    assert (person.sex, person.birth_date) == ("female", dt.date(1980, 12, 31))


def test_day_month_and_year_of_birth_in_three_columns() -> None:
    rows: Rows = [
        ["Họ và tên", "Ngày sinh", None, None],
        [None, "Ngày", "Tháng", "Năm"],
        ["Lê Thị Lan", 5, 3, 1980],
        ["Lê An", None, None, 1990],
    ]
    read_list = read(workbook(rows, merge=["B1:D1"]), "x.xlsx", today=TODAY)
    assert [(p.birth_year, p.birth_date) for p in read_list.people] == [(1980, dt.date(1980, 3, 5)), (1990, None)]


@pytest.mark.parametrize("heads", [["Họ đệm", "Tên"], ["Họ và tên đệm", "Tên"], ["Họ và tên", None], ["Họ", "Tên"]])
def test_names_in_two_columns(heads: list[str | None]) -> None:
    rows: Rows = [
        ["STT", *heads, "Năm sinh"],
        *([i, "NGUYỄN THỊ", "HOA" if i % 2 else "LAN", 1960 + i] for i in range(1, 9)),
    ]
    names = [person.full_name for person in table(rows).people]
    assert names[:2] == ["Nguyễn Thị Hoa", "Nguyễn Thị Lan"]
    assert len(names) == 8


def test_ticks_for_men_and_women_and_poverty() -> None:
    rows: Rows = [
        ["Họ tên", "Nam", "Nữ", "Năm sinh", "Hộ nghèo", "Cận nghèo", "Dân tộc"],
        ["Lê Thị Lan", None, "x", 1980, "X", None, "Kinh"],
        ["Lò Văn Pản", "x", None, 1970, None, "✓", "Thái"],
        ["Lê Văn An", "x", None, 1971, "0", "không", "Kinh"],
    ]
    assert [(p.sex, p.grounds) for p in table(rows).people] == [
        ("female", ("poor",)),
        ("male", ("near_poor", "ethnic_minority")),
        ("male", ()),
    ]
    assert "Thái" not in repr([person._replace(raw=()) for person in table(rows).people])


def test_standing_and_consent_in_words() -> None:
    rows: Rows = [
        ["Họ tên", "Năm sinh", "Thuộc diện", "Đồng ý nhận tin nhắn"],
        ["Lê Thị An", 1980, "HN", "Có"],
        ["Lê Thị Ba", 1981, "HCN", "không"],
        ["Lê Thị Ca", 1982, "Thoát nghèo", ""],
        ["Lê Thị Da", 1983, "Cận nghèo, DTTS", "x"],
    ]
    assert [(p.standing, p.sms_consent) for p in table(rows).people] == [
        ("poor", True),
        ("near_poor", False),
        ("other", False),
        ("near_poor", True),
    ]
    assert only(table([HEAD, LAN])).sms_consent is None


def test_a_list_of_households_goes_by_their_heads() -> None:
    rows: Rows = [
        ["TT", "Họ và tên chủ hộ", "Năm sinh", "Thuộc diện hộ cận nghèo"],
        [1, "Lê Thị An", 1960, "x"],
        [2, "Lê Ba", 1961, ""],
    ]
    assert [(p.full_name, p.standing) for p in table(rows).people] == [("Lê Thị An", "near_poor"), ("Lê Ba", "other")]
    family: list[list[object]] = [["TT", "Họ tên", "Quan hệ với chủ hộ", "Chủ hộ"], [1, "Lê An", "vợ", "Bùi Văn Ba"]]
    assert only(table(family)).full_name == "Lê An"


def test_a_month_and_a_day_that_were_swapped_are_put_right() -> None:
    assert only(table([HEAD, ["Lê Thị Lan", "Nữ", "1/13/1980"]])).birth_date == dt.date(1980, 1, 13)


def test_headings_inside_the_table_hold_for_the_rows_below() -> None:
    rows: Rows = [
        ["TT", "Họ và tên", "Năm sinh", "Điện thoại"],
        ["I", "PHƯỜNG BẮC SƠN"],
        [None, "Khu phố 3"],
        [1, "Lê Thị An", 1980, "0912345678"],
        ["II", "Phường Lam Sơn"],
        ["Thôn Nghĩa Môn"],
        [2, "Lê Thị Ba", 1981, "0912345679"],
        ["Hộ nghèo"],
        [3, "Lê Thị Ca", 1982, "0912345670"],
        ["Cộng", "3 người"],
        [None, "NGƯỜI LẬP BIỂU", None, "CHỦ TỊCH"],
        [None, "Nguyễn Thị Lan", None, "Trần Văn Bình"],
    ]
    people = table(rows).people
    assert [(p.full_name, p.ward_named, p.neighbourhood, p.standing) for p in people] == [
        ("Lê Thị An", "Phường Bắc Sơn", "Khu phố 3", "other"),
        ("Lê Thị Ba", "Phường Lam Sơn", "Thôn Nghĩa Môn", "other"),
        ("Lê Thị Ca", "Phường Lam Sơn", "Thôn Nghĩa Môn", "poor"),
    ]
    assert table(rows).rejected == []


def test_signatures_below_a_list_without_numbering_are_nobody() -> None:
    rows: Rows = [
        ["Họ và tên", "Năm sinh", "Nghề nghiệp"], ["Lê Thị An", 1980, "Thợ may"], ["Lê Thị Ba", None, "Xe ôm"], [None],
        ["Bỉm Sơn, ngày 5 tháng 3 năm 2026"], ["Người lập", None, "Chủ tịch"], ["Trần Văn Bình", None, "Lê Văn Tám"],
    ]  # fmt: skip
    assert [person.full_name for person in table(rows).people] == ["Lê Thị An", "Lê Thị Ba"]


def test_the_headings_printed_again_on_each_page_are_nobody() -> None:
    rows: Rows = [HEAD, LAN, HEAD, DUNG]
    read_list = table(rows)
    assert [person.row for person in read_list.people] == [2, 4]
    assert read_list.rejected == []


def test_numbered_but_empty_rows_are_nobody() -> None:
    rows: Rows = [["STT", *HEAD], [1, *LAN], [2], [3], [4]]
    assert len(list(table(rows).rows())) == 1


def test_columns_without_a_heading_are_known_by_their_values() -> None:
    rows: list[list[object]] = [["Họ tên", "Thông tin", "Mã", "Sinh hoạt tại"]]
    rows += [
        [f"Lê Thị {name}", f"0912345{place}0", f"038180{place}1234", "chi hội 2"]
        for place, name in enumerate(("An", "Ba", "Ca"), 10)
    ]
    read_list = table(rows)
    mapping = read_list.tables[0].mapping
    assert (mapping[Field.PHONE].letter, mapping[Field.PHONE].why) == ("B", Why.VALUES)
    assert mapping[Field.CITIZEN_ID].letter == "C"
    assert read_list.people[0].phone == "+84912345100"


def test_a_caller_may_choose_the_columns() -> None:
    rows: Rows = [["Họ tên", "Liên hệ", "Số khác"], ["Lê Thị An", "0912345678", "0987654321"]]
    assert only(table(rows)).phone == "+84912345678"
    assert only(table(rows, {"phone": "C"})).phone == "+84987654321"
    assert only(table(rows, {"phone": "số khác", "other_phone": "B"})).other_phone == "+84912345678"
    assert only(table(rows, {"phone": ""})).phone is None


def test_a_list_without_headings_can_be_read_when_the_columns_are_told() -> None:
    assert [p.full_name for p in table([LAN, DUNG], {"full_name": "A", "phone": "E"}).people] == [
        "Lê Thị Lan",
        "Trần Văn Dũng",
    ]


def vni(text: str) -> str:
    """The text as the VNI fonts store it, for the letters these tests use."""
    pairs = {
        "ễ": "eã", "ị": "ò", "Đ": "Ñ", "ặ": "aë", "ă": "aê", "ũ": "uõ", "ọ": "oï", "à": "aø", "ê": "eâ", "ố": "oá", "đ": "ñ",
        "ệ": "eä", "ạ": "aï", "ạo": "aïo", "ô": "oâ", "ư": "ö", "ờ": "ôø", "ứ": "öù", "ì": "ì", "í": "í", "ữ": "öõ", "ồ": "oà", "ầ": "aà",
    }  # fmt: skip
    return "".join(pairs.get(char, char) for char in text)


def test_a_sheet_in_vni_letters() -> None:
    head = [vni(text) for text in ("Họ và tên", "Năm sinh", "Số điện thoại")]
    rows: Rows = [
        head,
        *(
            [vni(name), 1970 + place, f"091234567{place}"]
            for place, name in enumerate(("Nguyễn Thị Đào", "Đặng Văn Dũng", "Trần Đức Hồng"))
        ),
    ]
    read_list = table(rows)
    assert set(read_list.tables[0].letters[:1]) == {Letters.VNI}
    assert [p.full_name for p in read_list.people] == ["Nguyễn Thị Đào", "Đặng Văn Dũng", "Trần Đức Hồng"]


def test_old_names_under_new_headings_and_capitals_of_old_fonts() -> None:
    rows: Rows = [
        ["Họ và tên", "Địa chỉ"],
        ["NGUYÔN THÞ §µO", "Tổ dân phố 2"],
        ["§Æng V¨n Dòng", "Tổ dân phố 3"],
        ["TrÇn ThÞ HuÖ", "Tổ dân phố 3"],
    ]
    assert [(p.full_name, p.address) for p in table(rows).people] == [
        ("Nguyễn Thị Đào", "Tổ dân phố 2"),
        ("Đặng Văn Dũng", "Tổ dân phố 3"),
        ("Trần Thị Huệ", "Tổ dân phố 3"),
    ]


def to_1258(text: str) -> bytes:
    """windows-1258: letters composed, tones apart."""
    tones = "\u0300\u0301\u0303\u0309\u0323"
    out = []
    for char in text:
        parts = unicodedata.normalize("NFD", char)
        letter = unicodedata.normalize("NFC", "".join(part for part in parts if part not in tones))
        out.append(letter + "".join(part for part in parts if part in tones))
    return "".join(out).encode("cp1258")


CSV = "STT;Họ và tên;Năm sinh;Điện thoại;Địa chỉ\r\n1;Nguyễn Thị Thuỷ;1980;0912.345.678;Số 5, khu phố 2\r\n2;Đặng Đức Lưỡng;1975;;Khu phố 3\r\n"


@pytest.mark.parametrize(
    "content",
    [
        CSV.encode("utf-8"),
        CSV.encode("utf-8-sig"),
        CSV.encode("utf-16"),
        CSV.encode("utf-16-le"),
        CSV.encode("utf-16-be"),
        to_1258(CSV),
        unicodedata.normalize("NFD", CSV).encode("utf-8"),
        CSV.replace(";", "\t").encode("utf-16"),
        CSV.replace(";", "|").encode("utf-8"),
        CSV.replace("Số 5, khu phố 2", '"Số 5, khu phố 2"').replace(";", ",").encode("utf-8"),
        CSV.replace("\r\n", "\n").encode("utf-8"),
    ],
    ids=["utf-8", "bom", "utf-16", "utf-16-le", "utf-16-be", "1258", "decomposed", "tabs", "pipes", "commas", "unix"],
)
def test_text_tables_in_any_encoding_and_with_any_delimiter(content: bytes) -> None:
    read_list = read(content, "danh-sach.csv", today=TODAY)
    assert [(p.row, p.full_name, p.birth_year, p.phone, p.neighbourhood) for p in read_list.people] == [
        (2, "Nguyễn Thị Thuỷ", 1980, "+84912345678", "Khu phố 2"),
        (3, "Đặng Đức Lưỡng", 1975, None, "Khu phố 3"),
    ]


def test_a_text_table_in_old_letters() -> None:
    text = "TT,Hä vµ tªn,N¨m sinh,§iÖn tho¹i\n1,NguyÔn ThÞ Thuû,1980,0912345678\n2,§Æng §øc L\xadìng,1975,\n"
    names = [person.full_name for person in read(text.encode("latin-1"), "cu.csv", today=TODAY).people]
    assert names == ["Nguyễn Thị Thuỷ", "Đặng Đức Lưỡng"]


def test_a_spreadsheet_says_its_delimiter_in_the_first_line() -> None:
    read_list = read(f"sep=;\n{CSV}".encode(), "x.csv", today=TODAY)
    assert [person.row for person in read_list.people] == [3, 4]


def test_an_open_document_sheet() -> None:
    cells = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{escape(str(cell))}</text:p></table:table-cell>'
            for cell in row
        )
        + "</table:table-row>"
        for row in (HEAD, LAN, DUNG)
    )
    space = "urn:oasis:names:tc:opendocument:xmlns:"
    document = (
        f'<?xml version="1.0"?><office:document-content xmlns:office="{space}office:1.0" xmlns:table="{space}table:1.0"'
        f' xmlns:text="{space}text:1.0"><office:body><office:spreadsheet><table:table table:name="Tờ 1">{cells}'
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", document)
        archive.writestr("META-INF/manifest.xml", f'<manifest:manifest xmlns:manifest="{space}manifest:1.0"/>')
    people = read(out.getvalue(), "list.ods", today=TODAY).people
    assert [(p.sheet, p.full_name) for p in people] == [("Tờ 1", "Lê Thị Lan"), ("Tờ 1", "Trần Văn Dũng")]


def old_workbook(rows: Rows) -> bytes:
    """A workbook as Excel 97 wrote it: BIFF8 records in one stream of an OLE file."""

    def record(kind: int, body: bytes) -> bytes:
        return struct.pack("<HH", kind, len(body)) + body

    def cell(row: int, column: int, value: object) -> bytes:
        place = struct.pack("<HHH", row, column, 0)
        if isinstance(value, int | float):
            return record(0x0203, place + struct.pack("<d", value))
        text = str(value)
        return record(0x0204, place + struct.pack("<HB", len(text), 1) + text.encode("utf-16-le"))

    def begin(kind: int) -> bytes:
        return record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 0x07CC, 0, 6))

    end, name = record(0x000A, b""), "Tổ 1"
    cells = b"".join(
        cell(row, column, value) for row, line in enumerate(rows) for column, value in enumerate(line) if value != ""
    )
    bound = struct.pack("<BB", len(name), 1) + name.encode("utf-16-le")
    start = len(begin(5)) + len(record(0x0085, b"\0" * 6 + bound)) + len(end)
    stream = begin(5) + record(0x0085, struct.pack("<IH", start, 0) + bound) + end + begin(16) + cells + end
    stream = stream.ljust(max(4_096, -(-len(stream) // 512) * 512), b"\0")
    sectors = len(stream) // 512
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4_096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<109I", 0, *[0xFFFFFFFF] * 108)
    chain = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, sectors + 2), 0xFFFFFFFE]
    table_of_sectors = struct.pack("<128I", *chain, *[0xFFFFFFFF] * (128 - len(chain)))

    def entry(label: str, kind: int, child: int, first: int, size: int) -> bytes:
        encoded = (label + "\0").encode("utf-16-le") if label else b""
        links = struct.pack("<III", 0xFFFFFFFF, 0xFFFFFFFF, child)
        lengths = struct.pack("<HBB", len(encoded), kind, 1)
        return encoded.ljust(64, b"\0") + lengths + links + b"\0" * 36 + struct.pack("<III", first, size, 0)

    directory = entry("Root Entry", 5, 1, 0xFFFFFFFE, 0) + entry("Workbook", 2, 0xFFFFFFFF, 2, len(stream))
    return header + table_of_sectors + directory + entry("", 0, 0xFFFFFFFF, 0, 0) * 2 + stream


def test_a_workbook_of_excel_97() -> None:
    people = read(old_workbook([HEAD, LAN, DUNG]), "cu.xls", today=TODAY).people
    assert [(p.sheet, p.row, p.full_name, p.birth_year, p.phone) for p in people] == [
        ("Tổ 1", 2, "Lê Thị Lan", 1980, "+84912345678"),
        ("Tổ 1", 3, "Trần Văn Dũng", 1975, "+84987654321"),
    ]


def test_sheets_that_hold_no_table_are_passed_over() -> None:
    content = workbook(
        [["Hướng dẫn", "Điền vào tờ sau"], ["", "Không xoá"]],
        {"Tổ 1": [HEAD, LAN], "Tổ 2": [HEAD, DUNG]},
        title="Hướng dẫn",
    )
    read_list = read(content, "x.xlsx", today=TODAY)
    assert [found.sheet for found in read_list.tables] == ["Tổ 1", "Tổ 2"]
    assert read_list.skipped == ("Hướng dẫn",)
    assert [p.sheet for p in read(content, "x.xlsx", today=TODAY, sheets=["Tổ 2"]).people] == ["Tổ 2"]


def test_numbers_that_a_spreadsheet_spoilt_are_mended() -> None:
    rows: Rows = [
        HEAD,
        ["Lê Thị Lan", "Nữ", "1980", 38180123456, 912345678.0],
        ["Lê An", "Nam", 29285, "1080012345", "'0987654321"],
    ]
    first, second = table(rows).people
    assert (first.citizen_id, first.phone) == ("038180123456", "+84912345678")
    assert (second.birth_date, second.phone, second.citizen_id) == (dt.date(1980, 3, 5), "+84987654321", "001080012345")


def test_what_cannot_be_kept_is_remarked_and_the_person_stays() -> None:
    person = only(table([HEAD, ["Lê Thị Lan", "Nam", 1980, "038180123456", "12345"]]))
    assert (person.citizen_id, person.phone) == (None, None)
    assert [remark.reason for remark in person.remarks] == [Reason.CITIZEN_ID_OTHER_SEX, Reason.PHONE_UNREADABLE]
    assert "row 2, column E" in person.remarks[1].sentence


def test_sex_and_year_are_read_off_the_citizen_number() -> None:
    person = only(table([["Họ tên", "CCCD"], ["Lê Thị Lan", "038180123456"]]))
    assert (person.sex, person.birth_year, person.birth_date) == ("female", 1980, None)


def test_a_place_merged_over_several_rows_holds_for_each() -> None:
    rows: Rows = [
        ["Họ tên", "Năm sinh", "Địa chỉ"],
        ["Lê An", 1980, "TDP 4"],
        ["Lê Ba", 1981],
        ["Lê Ca", 1982],
        ["Lê Da", 1983],
    ]
    people = read(workbook(rows, merge=["C2:C4"]), "x.xlsx", today=TODAY).people
    assert [person.neighbourhood for person in people] == ["Tổ dân phố 4"] * 3 + [None]


def test_the_title_or_the_sheet_may_tell_the_neighbourhood_of_all() -> None:
    titled = table([["DANH SÁCH HỘI VIÊN TỔ DÂN PHỐ SỐ 07"], ["Họ tên", "Năm sinh"], ["Lê An", 1980]])
    assert only(titled).neighbourhood == "Tổ dân phố 7"
    content = workbook(
        [["Họ tên", "Năm sinh"], ["Lê An", 1980]], {"Tờ 2": [["Họ tên", "Năm sinh"], ["Lê Ba", 1]]}, title="TDP 3"
    )
    first, second = read(content, "x.xlsx", today=TODAY).people
    assert (first.neighbourhood, second.neighbourhood) == ("Tổ dân phố 3", None)


def test_numbers_and_commas_around_a_name_are_left_out() -> None:
    people = table(
        [["Họ và tên", "Năm sinh"], ["1. Lê Thị An,", 1980], ["2) Lê Văn Ba.", 1981], ["- Lê Ca", 1982]]
    ).people
    assert [person.full_name for person in people] == ["Lê Thị An", "Lê Văn Ba", "Lê Ca"]


def test_a_quotation_mark_left_open_swallows_no_rows() -> None:
    content = 'Họ tên;Năm sinh;Ghi chú\nLê An;1980;"bán trà\nLê Ba;1981;\nLê Ca;1982;\n'.encode()
    assert [person.full_name for person in read(content, "x.csv", today=TODAY).people] == ["Lê An", "Lê Ba", "Lê Ca"]


def test_a_third_row_may_repeat_what_only_the_second_told() -> None:
    rows: Rows = [
        ["Họ tên", "Năm sinh", "CCCD", "SĐT"],
        ["Lê Thị An", 1980, "", "0912345678"],
        ["Lê Thị An", 1980, "038180123456", "0912345678"],
        ["Lê Thị An", "", "038180123456", ""],
    ]
    assert [(repeat.row, repeat.of_row) for repeat in table(rows).duplicates] == [(3, 2), (4, 2)]


def test_people_who_only_resemble_each_other_are_not_repeats() -> None:
    rows: Rows = [
        ["Họ tên", "Năm sinh", "CCCD", "Điện thoại", "Khu phố"],
        ["Lê Thị Hoa", 1980, "", "0912345678", "1"],
        ["Lê Thị Hoà", 1980, "", "0912345679", "1"],
        ["Lê Thị Hoa", 1981, "", "", "1"],
        ["Lê Văn Minh", 1980, "", "0912345678", "1"],
        ["Lê Thị Hoa", 1980, "", "", "2"],
        ["Bùi Thị Lý", 1970, "", "", "2"],
        ["BÙI THỊ LÍ", "5/3/1970", "038170123456", "0912000111", "2"],
        ["Bùi Thị Lý", 1970, "038170999999", "", "2"],
    ]
    read_list = table(rows)
    assert [(d.row, d.of_row, d.reasons) for d in read_list.duplicates] == [
        (8, 7, (SameBecause.NAME_AND_BIRTH,)),
        (9, 7, (SameBecause.NAME_AND_BIRTH,)),
    ]
    assert len(read_list.people) == 6


@pytest.mark.parametrize("name", ["Tống Thị Dung", "TỐNG CÔNG HÙNG", "Tống Văn Số", "Tong Cong Hung"])
def test_the_family_tong_is_no_total(name: str) -> None:
    found = table([HEAD, [name, "Nam", "1973", None, "0912345678"], ["Tổng cộng: 1", None, None, None, None]])
    assert only(found).row == 2


@pytest.mark.parametrize(
    "name", ["An Đình Bình", "AN ĐÌNH DŨNG", "Tô Trường Giang", "Trương Bản", "Kỳ Thị Hoa", "An Dinh Binh"]
)
def test_whoever_is_called_like_what_is_said_below_a_list_is_somebody(name: str) -> None:
    found = table(
        [HEAD, [name, "Nam", "1973", None, "0912345678"], ["Ấn định danh sách này có 1 người", None, None, None, None]]
    )
    assert only(found).row == 2


@pytest.mark.parametrize(
    "said", ["Tổ trưởng", "TO TRUONG", "Trưởng thôn", "Ấn định", "AN DINH danh sach", "Thủ trưởng", "Ký tên"]
)
def test_what_is_said_below_a_list_is_nobody(said: str) -> None:
    found = table([HEAD, ["Lê Thị Lan", "Nữ", "1973", None, "0912345678"], [said, None, None, None, None]])
    assert only(found).row == 2


@pytest.mark.parametrize("total", ["Tổng", "Tổng cộng", "TỔNG SỐ: 12 người", "Tong cong"])
def test_a_total_is_nobody(total: str) -> None:
    found = table([HEAD, ["Lê Thị Lan", "Nữ", "1973", None, "0912345678"], [total, None, None, None, None]])
    assert only(found).row == 2
