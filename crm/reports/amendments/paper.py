"""The document in which chosen proposals go upward, laid out like the official reports. Its words are Vietnamese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from crm.clock import local_day
from crm.reports.amendments.queries import Chosen
from crm.reports.amendments.rules import ON_PAPER, Subject, in_short
from crm.reports.documents import sheets
from crm.reports.documents.paper import Paper, Part
from crm.reports.documents.rules import END, Head, Section, bare, digest_of, inside, short
from crm.web import filters

TITLE = "Tổng hợp kiến nghị sửa đổi, bổ sung chính sách bảo hiểm xã hội tự nguyện"
PLAN = "Kế hoạch số 1553/KH-UBND"
ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")
SHORT_IN_TABLE = 160

Told = Mapping[str, Any]
"""A proposal on paper: subject, law, happens, change, people (how many wrote it), places, written_on."""


@dataclass(frozen=True)
class Proposals(Paper):
    """The document as it is printed."""

    to_whom: str = ""
    chapters: Sequence[Part] = field(default=())

    @property
    def title(self) -> str:
        return TITLE

    @property
    def period(self) -> str:
        since, until = (date.fromisoformat(self.facts[name]) for name in ("since", "as_of"))
        return f"từ {since:%d/%m/%Y} đến {until:%d/%m/%Y}"

    @property
    def parts(self) -> list[Part]:
        return list(self.chapters)

    @property
    def sections(self) -> Mapping[Section, Sequence[str]]:
        return {Section.PROPOSALS: [line for part in self.parts for line in part.paragraphs]}

    @property
    def closing(self) -> str:
        return f"Trên đây là tổng hợp kiến nghị của {_issuer(self.head)}; kính đề nghị {self.to_whom} xem xét, trả lời{END}"

    @property
    def sealed(self) -> str:
        return f"Danh mục {filters.number(len(self.facts['proposals']))} kiến nghị, mã kiểm tra {short(self.digest)}."

    @property
    def filename(self) -> str:
        return f"kien-nghi-{self.facts['as_of']}-{bare(self.facts['town'])}"


def usual_head(town: str) -> Head:
    """The Front's, until its officer says otherwise."""
    return Head(
        superior=f"Ủy ban MTTQ Việt Nam {inside(town)}",
        issuer="Ban Thường trực",
        symbol="BC-MTTQ-BTT",
        locality=bare(town),
        sign_for="TM. BAN THƯỜNG TRỰC\nCHỦ TỊCH",
        signer="",
        recipients=(
            "Ban Thường trực Ủy ban MTTQ Việt Nam tỉnh (để báo cáo)",
            "Bảo hiểm xã hội tỉnh",
            f"Thường trực HĐND, UBND {inside(town)}",
            "Lưu: VT",
        ),
    )


USUAL_WHOM = "Ban Thường trực Ủy ban MTTQ Việt Nam tỉnh"


def told_of(chosen: Sequence[Chosen]) -> list[dict[str, Any]]:
    """What was chosen in plain values, as it is kept when the document is sent."""
    return [
        {
            "subject": one.line.row.subject.value,
            "law": one.line.words.law,
            "happens": one.line.words.happens,
            "change": one.line.words.change,
            "people": one.people,
            "places": one.places,
            "written_on": local_day(one.line.row.written_at).isoformat(),
        }
        for one in chosen
    ]


def written(
    told: Sequence[Told], head: Head, to_whom: str, town: str, *, number: int | None, day: date | None, at: datetime
) -> Proposals:
    """The paper of what was chosen (`told_of`); without number and day a draft."""
    as_of = (day or local_day(at)).isoformat()
    facts: dict[str, Any] = {
        "since": min((one["written_on"] for one in told), default=as_of),
        "as_of": as_of,
        "town": town,
        "place": None,
        "proposals": list(told),
        "tables": [_table(told)] if told else [],
    }
    return Proposals(
        facts=facts,
        text={},
        head=head,
        number=number,
        day=day,
        label="",
        digest=digest_of({"proposals": list(told), "to_whom": to_whom}),
        taken_at=at,
        to_whom=to_whom,
        chapters=_chapters(told, head, town),
    )


def _issuer(head: Head) -> str:
    return " ".join(part for part in (head.issuer, head.superior) if part)


def _chapters(told: Sequence[Told], head: Head, town: str) -> list[Part]:
    places = {name for one in told for name in one["places"]}
    people = sum(one["people"] for one in told)
    opening = (
        f"Thực hiện {PLAN} về phát triển đối tượng tham gia bảo hiểm xã hội (mục IV: giám sát việc thực hiện và đề xuất sửa đổi chính sách chưa phù hợp), "
        f"{_issuer(head)} tổng hợp {filters.number(len(told))} nội dung kiến nghị từ {filters.number(people)} ý kiến ghi nhận tại {filters.number(len(places))} xã, phường của {inside(town)}, như sau:"
    )
    found = [Part("", "", [opening])]
    subjects = list(dict.fromkeys(one["subject"] for one in told))
    for place, one in enumerate(told):
        first = not place or told[place - 1]["subject"] != one["subject"]
        turn = ROMAN[subjects.index(one["subject"])]
        chapter = f"{turn}. {ON_PAPER[Subject(one['subject'])].upper()}" if first else ""
        voices = f"{filters.number(one['people'])} ý kiến"
        found.append(Part(chapter, f"{place + 1}. {', '.join(one['places'])} ({voices})", list(_said(one))))
    return found


def _said(one: Told) -> list[str]:
    lines = [f"Thực tế: {_sentence(one['happens'])}", f"Kiến nghị: {_sentence(one['change'])}"]
    return [f"Quy định hiện hành: {_sentence(one['law'])}", *lines] if one["law"] else lines


def _sentence(text: str) -> str:
    """In one line that ends as a sentence does."""
    line = " ".join(text.split())
    return line if line.endswith((".", "!", "?", "…")) else f"{line}."


def _table(told: Sequence[Told]) -> sheets.Sheet:
    columns = [
        sheets.Column("TT", sheets.PLACE, width=4),
        sheets.Column("Kiến nghị", sheets.WORDS, width=50),
        sheets.Column("Lĩnh vực", sheets.WORDS, width=22),
        sheets.Column("Số ý kiến", width=8),
        sheets.Column("Địa bàn", sheets.WORDS, width=24),
    ]
    rows = [
        [
            place,
            in_short(one["change"], SHORT_IN_TABLE),
            _heading(ON_PAPER[Subject(one["subject"])]),
            one["people"],
            ", ".join(one["places"]),
        ]
        for place, one in enumerate(told, start=1)
    ]
    return sheets.sheet("Phụ lục", "Danh mục kiến nghị", "Ý kiến", columns, rows, total=False)


def _heading(words: str) -> str:
    """«Về hồ sơ, thủ tục» → «Hồ sơ, thủ tục»."""
    bare_words = words.removeprefix("Về ")
    return f"{bare_words[:1].upper()}{bare_words[1:]}"
