"""The life of an official report, what its paper has to look like on a day, and how its figures are sealed.

The paper follows Decree 30/2020/NĐ-CP, appendix I; before 5 March 2020 Circular 01/2011/TT-BNV, which puts the number of
the page at the foot. The words of the paper are Vietnamese whatever language its reader chose.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l

from crm.errors import RuleBroken
from crm.months import Month
from crm.places.rules import PlaceKind
from crm.reports.periods import ReportKind

OFFICIAL = (ReportKind.MONTH, ReportKind.HALF_YEAR, ReportKind.YEAR)
"""The kinds that are official documents."""


class State(StrEnum):
    COUNTING = "counting"
    DRAFT = "draft"
    SIGNED = "signed"
    SENT = "sent"
    WITHDRAWN = "withdrawn"


STATES: Mapping[State, Any] = {
    State.COUNTING: _l("Being counted"),
    State.DRAFT: _l("Draft"),
    State.SIGNED: _l("Signed"),
    State.SENT: _l("Sent"),
    State.WITHDRAWN: _l("Withdrawn"),
}
FINAL = (State.SIGNED, State.SENT)
"""Nothing of it changes any more."""


class Form(StrEnum):
    """How a report can be taken away."""

    DOCX = "docx"
    XLSX = "xlsx"
    PDF = "pdf"
    JSON = "json"


KEPT = (Form.DOCX, Form.XLSX, Form.PDF)
"""The files that are kept as they were when somebody signed."""


class Section(StrEnum):
    """The parts of the text, in their order."""

    OPENING = "opening"
    DIRECTION = "direction"
    NUMBER = "number"
    PLACES = "places"
    ORGANISATIONS = "organisations"
    SPONSORS = "sponsors"
    SHORTCOMINGS = "shortcomings"
    TASKS = "tasks"
    PROPOSALS = "proposals"


SECTION_WORDS: Mapping[Section, Any] = {
    Section.OPENING: _l("Opening"),
    Section.DIRECTION: _l("I. Guidance and communication"),
    Section.NUMBER: _l("II.1. Results in number"),
    Section.PLACES: _l("II.2. Results by ward and commune"),
    Section.ORGANISATIONS: _l("II.3. Results by organisation"),
    Section.SPONSORS: _l("II.4. Help with premiums"),
    Section.SHORTCOMINGS: _l("III. Shortcomings and their causes"),
    Section.TASKS: _l("IV. Tasks and measures ahead"),
    Section.PROPOSALS: _l("V. Proposals"),
}
HEADINGS: Mapping[Section, tuple[str, str]] = {
    Section.OPENING: ("", ""),
    Section.DIRECTION: ("I. CÔNG TÁC CHỈ ĐẠO, TUYÊN TRUYỀN", ""),
    Section.NUMBER: ("II. KẾT QUẢ THỰC HIỆN", "1. Về số lượng người tham gia"),
    Section.PLACES: ("", "2. Kết quả theo địa bàn"),
    Section.ORGANISATIONS: ("", "3. Kết quả theo tổ chức"),
    Section.SPONSORS: ("", "4. Hỗ trợ tiền đóng"),
    Section.SHORTCOMINGS: ("III. TỒN TẠI, NGUYÊN NHÂN", ""),
    Section.TASKS: ("IV. NHIỆM VỤ, GIẢI PHÁP THỜI GIAN TỚI", ""),
    Section.PROPOSALS: ("V. ĐỀ XUẤT, KIẾN NGHỊ", ""),
}
"""The chapter that begins with a section, and the section's own heading, as they stand on the paper."""

Text = Mapping[Section, str]
"""The text of a report: of each section its paragraphs, one a line."""

LONGEST = 6_000
"""Characters of one section."""
END = "./."


# ---- the layout of a day


class Layout(NamedTuple):
    """What the rules of paperwork say that holds from a day on."""

    since: date
    document: str
    page_number_on_top: bool


LAYOUTS = (
    Layout(date(2011, 3, 5), "Thông tư 01/2011/TT-BNV", page_number_on_top=False),
    Layout(date(2020, 3, 5), "Nghị định 30/2020/NĐ-CP", page_number_on_top=True),
)


def layout_on(day: date) -> Layout:
    """The layout of a paper of that day; before the first, the first."""
    held = [layout for layout in LAYOUTS if layout.since <= day]
    return held[-1] if held else LAYOUTS[0]


LEADING_ZERO_UNTIL_DAY = 9
LEADING_ZERO_UNTIL_MONTH = 2


def written_day(day: date) -> str:
    """As offices date a paper: a zero before days under ten and before January and February, and nowhere else."""
    number = f"{day.day:02}" if day.day <= LEADING_ZERO_UNTIL_DAY else str(day.day)
    month = f"{day.month:02}" if day.month <= LEADING_ZERO_UNTIL_MONTH else str(day.month)
    return f"ngày {number} tháng {month} năm {day.year}"


def written_number(number: int | None, symbol: str) -> str:
    """«Số: 05/BC-LĐTBXH»: a zero before numbers under ten; without a number a gap to write it in."""
    return f"Số: {f'{number:02}' if number else '        '}/{symbol}"


# ---- who issues it


@dataclass(frozen=True)
class Head:
    """Whose paper it is, how it is numbered, who signs and who gets it."""

    superior: str
    """Empty where none stands on the paper: people's committees name none. Common words of it are abbreviated, as both rules
    of paperwork have it; the office that issues the paper is written in full."""
    issuer: str
    symbol: str
    locality: str
    sign_for: str
    """The lines over the signature, such as «KT. CHỦ TỊCH» and «PHÓ CHỦ TỊCH»."""
    signer: str
    recipients: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"recipients": list(self.recipients)}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Head:
        return cls(**{**kept, "recipients": tuple(kept["recipients"])})


TWO_LEVELS = date(2025, 7, 1)
"""From here on there is no level between province and commune."""

_KINDS = ("thị xã ", "thành phố ", "huyện ", "quận ", "phường ", "xã ", "thị trấn ")


def bare(name: str) -> str:
    """«Thị xã Bỉm Sơn» → «Bỉm Sơn»: how a place is called in the line of the date."""
    for kind in _KINDS:
        if name.lower().startswith(kind):
            return name[len(kind) :]
    return name


def called(name: str, in_full: str | None, day: date) -> str:
    """What a town is called on a paper of a day: with its kind as long as there was that level, then as an area."""
    return in_full if in_full and day < TWO_LEVELS else name


def inside(name: str) -> str:
    """«Thị xã Bỉm Sơn» → «thị xã Bỉm Sơn»: within a sentence."""
    return name[:1].lower() + name[1:] if any(name.lower().startswith(kind) for kind in _KINDS) else name


def usual_head(town: str, place: str | None, day: date) -> Head:
    """What stands on a paper until an office says otherwise. Until July 2025 the labour office of the town reports, and
    wards by their people's committees; since then the insurance office of the area, and the wards' own offices."""
    if place is None and day < TWO_LEVELS:
        return Head(
            superior=f"UBND {inside(town)}",
            issuer="Phòng Lao động - Thương binh và Xã hội",
            symbol="BC-LĐTBXH",
            locality=bare(town),
            sign_for="TRƯỞNG PHÒNG",
            signer="",
            recipients=(
                f"UBND {inside(town)} (để báo cáo)",
                "Bảo hiểm xã hội tỉnh (để báo cáo)",
                f"BHXH, các phòng, ban, đoàn thể {inside(town)}",
                "UBND các xã, phường",
                "Lưu: VT",
            ),
        )
    if place is None:
        return Head(
            superior="Bảo hiểm xã hội tỉnh",
            issuer=f"Bảo hiểm xã hội cơ sở {bare(town)}",
            symbol="BC-BHXH",
            locality=bare(town),
            sign_for="GIÁM ĐỐC",
            signer="",
            recipients=("Bảo hiểm xã hội tỉnh (để báo cáo)", "UBND các xã, phường", "Lưu: VT"),
        )
    if day < TWO_LEVELS:
        return Head(
            superior="",
            issuer=f"Ủy ban nhân dân {inside(place)}",
            symbol="BC-UBND",
            locality=bare(place),
            sign_for="KT. CHỦ TỊCH\nPHÓ CHỦ TỊCH",
            signer="",
            recipients=(
                f"Phòng LĐ-TB&XH {inside(town)} (để tổng hợp)",
                f"Bảo hiểm xã hội {inside(town)}",
                "Thường trực Đảng ủy, HĐND, UBND (để báo cáo)",
                "Lưu: VT",
            ),
        )
    return Head(
        superior=f"UBND {inside(place)}",
        issuer="Phòng Văn hóa - Xã hội",
        symbol="BC-VHXH",
        locality=bare(place),
        sign_for="TRƯỞNG PHÒNG",
        signer="",
        recipients=(
            f"UBND {inside(place)} (để báo cáo)",
            f"Bảo hiểm xã hội cơ sở {bare(town)}",
            "Lưu: VT",
        ),
    )


# ---- which period


def period_words(kind: str, period: str) -> str:
    """«tháng 10 năm 2019», «6 tháng đầu năm 2019», «năm 2019»."""
    year, _dash, part = period.partition("-")
    if kind == ReportKind.MONTH:
        return f"tháng {int(part)} năm {year}"
    if kind == ReportKind.HALF_YEAR:
        return f"6 tháng {'đầu' if part == 'H1' else 'cuối'} năm {year}"
    return f"năm {year}"


def title_words(kind: str, period: str) -> str:
    """What stands under «BÁO CÁO»."""
    what = "công tác phát triển người tham gia bảo hiểm xã hội tự nguyện"
    words = period_words(kind, period)
    if kind == ReportKind.MONTH:
        return f"Kết quả {what} {words}"
    return f"{'Sơ kết' if kind == ReportKind.HALF_YEAR else 'Tổng kết'} {what} {words}"


DUE_DAY_OF_YEAR = (12, 10)
"""The plan: every actor reports before 10 December."""


def suggested(today: date) -> tuple[ReportKind, str]:
    """The report one is likely to come for: of the last month that is over; the year's in the days before it is due."""
    if today.month == DUE_DAY_OF_YEAR[0] and today.day < DUE_DAY_OF_YEAR[1]:
        return ReportKind.YEAR, str(today.year)
    return ReportKind.MONTH, str(Month.of(today) - 1)


def issues_for(kind: PlaceKind) -> bool:
    """Whether a place of this kind has reports of its own."""
    return kind in (PlaceKind.WARD, PlaceKind.COMMUNE)


# ---- the figures, sealed


def canonical(facts: Mapping[str, Any]) -> bytes:
    """The one way to write figures down, whatever order they were kept in."""
    return json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def digest_of(facts: Mapping[str, Any]) -> str:
    """The seal of the figures: SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(canonical(facts)).hexdigest()


def short(digest: str) -> str:
    """The first 16 digits in fours, as they are printed."""
    return " ".join(digest[start : start + 4] for start in range(0, 16, 4))


# ---- what may be done


def check_text(text: Mapping[Section, str]) -> dict[Section, str]:
    """The text as it is kept. Raises RuleBroken for a section that is too long."""
    clean = {}
    for section in Section:
        lines = [" ".join(line.split()) for line in (text.get(section) or "").replace("\x00", "").splitlines()]
        written = "\n".join(line for line in lines if line)
        if len(written) > LONGEST:
            raise RuleBroken(
                _l("This part is too long: %(most)s characters at most.", most=LONGEST), field=section.value
            )
        clean[section] = written
    return clean


def joined(base: Text, mine: Text, now: Text) -> tuple[dict[Section, str], list[Section]]:
    """What two people made of one text, together: of each section the words of whoever changed it; and the sections that
    both changed, each otherwise, where mine stand."""
    together = {one: now[one] if mine[one] == base[one] else mine[one] for one in Section}
    return together, [one for one in Section if base[one] != now[one] and together[one] != now[one]]


def check_signer(writers: Sequence[Any], signer: Any) -> None:
    """A second person signs: nobody who wrote or counted it. Raises RuleBroken."""
    if signer in writers:
        raise RuleBroken(
            _l("You worked on this report yourself. Another person has to check and sign it."), code="own_report"
        )
