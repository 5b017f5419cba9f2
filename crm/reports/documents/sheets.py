"""The forms of a report as plain tables, Biểu 01 to 05, in the words that stand on paper.

Their layouts are proposals of this program: no official form of 2019 was found. The words are Vietnamese whatever language
the reader chose, so they stand here and in no catalogue.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from crm.months import Month
from crm.names import title_key
from crm.outreach.rules import Channel
from crm.reports.documents.queries.counting import MonthOf, Stock, Told, Worked
from crm.reports.tables import ReportTable
from crm.targets.rules import Indicator
from crm.web import filters

NUMBER, WORDS, MONEY, PERCENT, PLACE = "number", "words", "money", "percent", "place"
PLACES_OF_A_PERCENT = 2


class Column(NamedTuple):
    """A column: its words, the group it stands under, what it holds, and its width beside the others."""

    text: str
    holds: str = NUMBER
    group: str = ""
    width: int = 8


Sheet = dict[str, Any]
"""{form, title, unit, columns: [{text, group, holds, width}], rows, total, notes}: plain values only."""


def sheet(
    form: str,
    title: str,
    unit: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Any]],
    *,
    total: bool = True,
    notes: Iterable[str] = (),
) -> Sheet:
    """A table; with `total` its last row is one."""
    return {
        "form": form,
        "title": title,
        "unit": unit,
        "columns": [column._asdict() for column in columns],
        "rows": [list(row) for row in rows],
        "total": total,
        "notes": list(notes),
    }


def share(part: int, whole: int | None) -> float | None:
    """Per cent of a whole, with two places; None of nothing."""
    return round(100 * part / whole, PLACES_OF_A_PERCENT) if whole else None


# ---- Biểu 01


class StockRow(NamedTuple):
    """A ward, commune or neighbourhood; `target` None where none was given."""

    key: str | None
    name: str
    target: int | None
    stock: Stock


def stock_rows(
    found: Mapping[UUID | None, Stock], names: Mapping[UUID | None, str], targets: Mapping[UUID | None, int]
) -> list[StockRow]:
    """The rows by name; what is nowhere on record comes last."""
    rows = [
        StockRow(str(key) if key else None, names[key], targets.get(key), found.get(key, Stock()))
        for key in {*found, *names}
    ]
    return sorted(rows, key=lambda row: (row.key is None, title_key(row.name), row.key or ""))


def total_of(rows: Iterable[StockRow], target: int | None, name: str = "Tổng cộng") -> StockRow:
    """All rows together, beside a target of its own."""
    whole = Stock()
    for row in rows:
        whole = whole.plus(row.stock)
    return StockRow(None, name, target, whole)


_STOCK_COLUMNS = (
    Column("TT", PLACE, width=4),
    Column("", WORDS, width=22),
    Column("Chỉ tiêu giao năm"),
    Column("Số có đầu năm (31/12 năm trước)", width=9),
    Column("Tham gia mới, chuyển đến", group="Tăng trong kỳ"),
    Column("Đóng lại", group="Tăng trong kỳ"),
    Column("Dừng đóng", group="Giảm trong kỳ"),
    Column("Sang BHXH bắt buộc", group="Giảm trong kỳ"),
    Column("Khác", group="Giảm trong kỳ", width=7),
    Column("Tăng", group="Lũy kế từ đầu năm", width=7),
    Column("Giảm", group="Lũy kế từ đầu năm", width=7),
    Column("Đang tham gia cuối kỳ", width=9),
    Column("Tỷ lệ so chỉ tiêu (%)", PERCENT),
    Column("So cùng kỳ (±)"),
    Column("Hộ nghèo", group="Trong đó", width=7),
    Column("Cận nghèo", group="Trong đó", width=7),
    Column("Dân tộc thiểu số", group="Trong đó", width=7),
    Column("Khác", group="Trong đó", width=7),
    Column("Ghi chú", WORDS),
)


def of_stock(rows: Sequence[StockRow], total: StockRow, *, by: str, compared: bool, notes: Sequence[str]) -> Sheet:
    """Biểu 01; without a register of the year before nothing is compared."""
    columns = [_STOCK_COLUMNS[0], _STOCK_COLUMNS[1]._replace(text=by), *_STOCK_COLUMNS[2:]]
    lines = [_stock_line(place, row, compared) for place, row in enumerate(rows, start=1)]
    return sheet(
        "Biểu 01",
        "Tổng hợp kết quả phát triển người tham gia BHXH tự nguyện",
        "Người",
        columns,
        [*lines, _stock_line(None, total, compared)],
        notes=[
            "Số có đầu năm + lũy kế tăng − lũy kế giảm = số đang tham gia cuối kỳ.",
            "Mỗi người tính một lần ở một diện: hộ nghèo, rồi cận nghèo, rồi dân tộc thiểu số.",
            *notes,
        ],
    )


def _stock_line(place: int | None, row: StockRow, compared: bool) -> list[Any]:
    one = row.stock
    return [
        place,
        row.name,
        row.target,
        one.start_of_year,
        one.joined,
        one.returned,
        one.stopped,
        one.compulsory,
        one.left_otherwise,
        one.up,
        one.down,
        one.now,
        share(one.now, row.target),
        one.now - one.year_before if compared else None,
        one.poor,
        one.near_poor,
        one.minority,
        one.others,
        "",
    ]


# ---- month by month


def of_months(found: Sequence[MonthOf], as_of: date) -> Sheet:
    """How the stock moved, month by month; a month that is not over says until which day."""
    columns = [
        Column("Tháng", WORDS, width=16),
        Column("Tham gia mới, chuyển đến"),
        Column("Đóng lại"),
        Column("Giảm"),
        Column("Đang tham gia cuối tháng"),
    ]
    rows: list[list[Any]] = [
        [_of_month(one.month, as_of), one.joined, one.returned, one.left, one.now] for one in found
    ]
    sums = [sum(row[place] for row in rows) for place in (1, 2, 3)]
    last = found[-1].now if found else 0
    return sheet("Biểu 01a", "Diễn biến theo tháng", "Người", columns, [*rows, ["Cả kỳ", *sums, last]])


def _of_month(month: Month, as_of: date) -> str:
    until = f" (đến {as_of:%d/%m})" if as_of < month.last_day else ""
    return f"{month.number:02}/{month.year}{until}"


# ---- the targets of the plan


class Planned(NamedTuple):
    """A target of the town and what came of it; `reached` None where nobody told it."""

    indicator: Indicator
    target: int
    reached: int | None
    of_register: bool
    """The register counts it itself; the others are as units told them."""
    put_right: bool = False
    """What units told was corrected once the round was closed; `reached` is what holds."""


INDICATORS_ON_PAPER: Mapping[Indicator, str] = {
    Indicator.VOLUNTARY: "Người tham gia BHXH tự nguyện",
    Indicator.COMPULSORY: "Người tham gia BHXH bắt buộc",
    Indicator.UNEMPLOYMENT: "Người tham gia bảo hiểm thất nghiệp",
}


def of_plan(lines: Sequence[Planned]) -> Sheet:
    """Each target of the plan beside its result; what nobody told stays empty and says so."""
    columns = [
        Column("TT", PLACE, width=4),
        Column("Chỉ tiêu", WORDS, width=34),
        Column("Chỉ tiêu giao năm", width=12),
        Column("Kết quả đến cuối kỳ", width=12),
        Column("Tỷ lệ so chỉ tiêu (%)", PERCENT, width=12),
        Column("Còn thiếu (−), vượt (+)", width=12),
        Column("Nguồn kết quả", WORDS, width=30),
    ]
    rows = [
        [
            place,
            INDICATORS_ON_PAPER[one.indicator],
            one.target,
            one.reached,
            share(one.reached, one.target) if one.reached is not None else None,
            one.reached - one.target if one.reached is not None else None,
            _source_of(one),
        ]
        for place, one in enumerate(lines, start=1)
    ]
    return sheet("Biểu 01b", "Kết quả thực hiện các chỉ tiêu của kế hoạch", "Người", columns, rows, total=False)


def _source_of(one: Planned) -> str:
    if one.of_register:
        return "Sổ theo dõi của chương trình (Biểu 01)"
    if one.put_right:
        return "Các đơn vị báo cáo, số sau đính chính"
    return "Các đơn vị báo cáo (Biểu 08)" if one.reached is not None else "Chưa có số liệu báo cáo"


# ---- Biểu 02


def of_organisations(found: Mapping[UUID | None, Worked], names: Mapping[UUID, str]) -> Sheet:
    """Biểu 02: what organisations did and what came of it."""
    columns = [
        Column("TT", PLACE, width=4),
        Column("Tổ chức", WORDS, width=24),
        Column("Cộng tác viên"),
        Column("Lượt thăm hộ"),
        Column("Người được tư vấn"),
        Column("Lượt hẹn lại"),
        Column("Người lập hồ sơ (TK1)"),
        Column("Người đóng lần đầu"),
        Column("6 tháng", group="Còn tham gia sau"),
        Column("12 tháng", group="Còn tham gia sau"),
        Column("Đến hạn đóng", group="Duy trì"),
        Column("Đóng tiếp", group="Duy trì"),
        Column("Đã nhắc", group="Duy trì"),
        Column("Quá hạn, tạm dừng", group="Duy trì"),
        Column("Tỷ lệ chuyển đổi (%)", PERCENT),
    ]
    unknown = "Chưa rõ tổ chức"
    inside = sorted(
        ((names.get(key, unknown) if key else unknown, one) for key, one in found.items() if any(one)),
        key=lambda pair: (pair[0] == unknown, title_key(pair[0])),
    )
    rows = [_worked_line(place, name, one, one.first_paid) for place, (name, one) in enumerate(inside, start=1)]
    of_met = sum(one.first_paid for _name, one in inside if one.met)
    whole = (
        Worked(*(sum(values) for values in zip(*(one for _name, one in inside), strict=True))) if inside else Worked()
    )
    return sheet(
        "Biểu 02",
        "Kết quả vận động theo tổ chức",
        "Người, lượt",
        columns,
        [*rows, _worked_line(None, "Tổng cộng", whole, of_met)],
        notes=[
            "Còn tham gia sau 6 (12) tháng: trong số người tham gia mới của cùng kỳ 6 (12) tháng trước, tính đến đủ 6 (12) tháng của từng người.",
            "Đến hạn đóng = đóng tiếp + quá hạn. Tỷ lệ chuyển đổi = người đóng lần đầu / người được tư vấn, của nơi có tư vấn.",
            "Một người do nhiều tổ chức tư vấn được tính ở mỗi tổ chức.",
        ],
    )


def _worked_line(place: int | None, name: str, one: Worked, of_met: int) -> list[Any]:
    """`of_met`: who paid first, with organisations that talked with somebody; others have no share of anything."""
    return [
        place,
        name,
        one.volunteers,
        one.home_visits,
        one.met,
        one.again,
        one.registered,
        one.first_paid,
        f"{one.kept_6}/{one.of_6}" if one.of_6 else "–",
        f"{one.kept_12}/{one.of_12}" if one.of_12 else "–",
        one.due,
        one.went_on,
        one.reminded,
        one.lapsed,
        share(of_met, one.met),
    ]


# ---- Biểu 03 and 05: money


def of_money(table: ReportTable) -> Sheet:
    """A table of money (crm/reports/money) as a sheet; its last row is the total."""
    columns = [
        Column(str(head), _holds(table, place), width=_width(table, place)) for place, head in enumerate(table.columns)
    ]
    rows = [list(row) for row in table.rows]
    if table.numbered:
        columns = [Column("TT", PLACE, width=4), *columns]
        rows = [[place if place < len(rows) else None, *row] for place, row in enumerate(rows, start=1)]
    return sheet(
        str(table.form),
        str(table.title),
        "Người, tháng, đồng",
        columns,
        rows,
        notes=[str(note) for note in table.notes],
    )


def _holds(table: ReportTable, place: int) -> str:
    if any(isinstance(row[place], str) for row in table.rows):
        return WORDS
    large = 100_000
    return MONEY if any(isinstance(row[place], int) and abs(row[place]) >= large for row in table.rows) else NUMBER


def _width(table: ReportTable, place: int) -> int:
    longest = max(
        (len(f"{row[place]:,}" if isinstance(row[place], int) else str(row[place] or "")) for row in table.rows),
        default=0,
    )
    of_head = max(len(word) for word in str(table.columns[place]).split())
    return max(6, of_head + 2, min(longest + 2, 22))


# ---- Biểu 04

_WAYS = (
    (Channel.HOME_VISIT, "Tư vấn tại hộ gia đình"),
    (Channel.PHONE_CALL, "Tư vấn qua điện thoại"),
    (Channel.MEETING, "Tư vấn tại hội nghị, cuộc họp"),
    (Channel.EVENT, "Tư vấn tại sự kiện, điểm tuyên truyền"),
)


def of_telling(found: Told, events: Sequence[tuple[str, str, int, int, int]] = ()) -> Sheet:
    """Biểu 04: conversations, events (words, unit, times, people who came, leaflets) and messages."""
    columns = [
        Column("TT", PLACE, width=4),
        Column("Nội dung", WORDS, width=40),
        Column("Đơn vị tính", WORDS, width=12),
        Column("Số lượng", width=12),
        Column("Số người được tư vấn", width=12),
        Column("Ghi chú", WORDS, width=26),
    ]
    rows: list[list[Any]] = []
    for way, words in _WAYS:
        tries, met = found.visits.get(way, (0, 0))
        rows.append([len(rows) + 1, words, "lượt", tries, met, ""])
    for words, unit, times, attended, leaflets in events:
        handed = f"{filters.number(leaflets)} tờ rơi" if leaflets else ""
        came = f"{filters.number(attended)} lượt người dự" if attended else ""
        rows.append([len(rows) + 1, words, unit, times, None, "; ".join(part for part in (came, handed) if part)])
    for words, number, note in (
        ("Tin nhắn đã gửi", found.sent, ""),
        ("– nhà mạng đã nhận", found.taken, "không có nghĩa là đã đọc"),
        ("– không tới được", found.failed, ""),
        ("– chưa rõ kết quả", found.unknown, ""),
        ("Số máy từ chối nhận tin", found.refused, ""),
    ):
        main = not words.startswith("–")
        rows.append(
            [
                _next(rows) if main else None,
                words,
                "tin" if "in nhắn" in words or not main else "số máy",
                number,
                None,
                note,
            ]
        )
    return sheet(
        "Biểu 04",
        "Kết quả tuyên truyền, vận động",
        "Lượt, người, tin",
        columns,
        rows,
        total=False,
        notes=[
            "Lượt gồm cả những lần không gặp; hội nghị, buổi phát thanh, tờ rơi là số đã ghi vào sổ sự kiện; số đơn vị tự báo cáo, nếu có, ở Biểu 08."
            if events
            else "Lượt gồm cả những lần không gặp; hội nghị, buổi phát thanh, tờ rơi do các đơn vị tự báo cáo kèm theo."
        ],
    )


def _next(rows: Sequence[Sequence[Any]]) -> int:
    return 1 + sum(row[0] is not None for row in rows)


# ---- Biểu 06


class Commended(NamedTuple):
    """A line of the list of commendation: who, post or unit, result, form, years in a row."""

    name: str
    post: str | None
    result: str
    form: str
    years: int


def of_commendations(lines: Sequence[Commended]) -> Sheet:
    """Whom to commend, in the order of the list."""
    columns = [
        Column("TT", PLACE, width=4),
        Column("Tập thể, cá nhân", WORDS, width=24),
        Column("Chức vụ, đơn vị", WORDS, width=22),
        Column("Kết quả", WORDS, width=40),
        Column("Hình thức đề nghị", WORDS, width=18),
        Column("Số năm liên tục", width=10),
    ]
    rows = [[place, *line] for place, line in enumerate(lines, start=1)]
    return sheet("Biểu 06", "Danh sách đề nghị khen thưởng", "Tập thể, người", columns, rows, total=False)


# ---- what changed of what was reported

MEASURES: Mapping[str, str] = {
    "joined": "Tham gia mới, chuyển đến",
    "returned": "Đóng lại",
    "stopped": "Dừng đóng",
    "compulsory": "Sang BHXH bắt buộc",
    "left_otherwise": "Giảm khác",
    "now": "Đang tham gia cuối kỳ",
}


class Correction(NamedTuple):
    """A figure of an earlier report that is another by now."""

    period: str
    """In words: tháng 9 năm 2019."""
    report: str
    """The number of the report it stood in."""
    name: str
    measure: str
    was: int
    now: int


def of_corrections(found: Sequence[Correction]) -> Sheet:
    """What was recorded late or taken back since it was reported."""
    columns = [
        Column("TT", PLACE, width=4),
        Column("Kỳ báo cáo", WORDS, width=18),
        Column("Báo cáo số", WORDS, width=18),
        Column("Xã, phường", WORDS, width=22),
        Column("Chỉ tiêu thống kê", WORDS, width=24),
        Column("Đã báo cáo", width=10),
        Column("Nay là", width=10),
        Column("Chênh lệch", width=10),
    ]
    rows = [
        [place, one.period, one.report, one.name, MEASURES[one.measure], one.was, one.now, one.now - one.was]
        for place, one in enumerate(found, start=1)
    ]
    return sheet(
        "Biểu điều chỉnh",
        "Điều chỉnh số liệu đã báo cáo",
        "Người",
        columns,
        rows,
        total=False,
        notes=["Do ghi nhận muộn hoặc hủy ghi nhận sau ngày chốt số liệu; báo cáo đã gửi giữ nguyên."],
    )
