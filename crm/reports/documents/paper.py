"""Everything that stands on the paper of a report, ready to be laid out as Word, Excel, PDF or on a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from crm.reports.documents.rules import (
    END,
    HEADINGS,
    Head,
    Layout,
    Section,
    bare,
    layout_on,
    period_words,
    short,
    title_words,
    written_number,
)
from crm.reports.documents.sheets import PERCENT, PLACE, PLACES_OF_A_PERCENT, WORDS, Sheet
from crm.reports.documents.wording import closing, dated
from crm.reports.periods import ReportKind
from crm.web import filters

NOTHING = "–"


def on_letterhead(name: str) -> str:
    """The name of an office at the head of its paper: in capitals, and no line begins with the dash within it."""
    return name.upper().replace(" - ", "\N{NO-BREAK SPACE}- ")


class Part(NamedTuple):
    """A section on the paper; `chapter` and `heading` are empty where none begins."""

    chapter: str
    heading: str
    paragraphs: Sequence[str]


@dataclass(frozen=True)
class Paper:
    """A report as it is printed. `number` and `day` are None until it is signed."""

    facts: Mapping[str, Any]
    text: Mapping[Section, str]
    head: Head
    number: int | None
    day: date | None
    label: str
    """Of the frozen figures: 12/2019."""
    digest: str
    taken_at: datetime
    replaces: str = ""
    """The number of a withdrawn report in whose place it stands."""
    withdrawn: bool = False

    @property
    def kind(self) -> ReportKind:
        return ReportKind(self.facts["kind"])

    @property
    def layout(self) -> Layout:
        """Of the day on the paper; of a draft, of the day on which it was counted."""
        return layout_on(self.day or self.taken_at.date())

    @property
    def title(self) -> str:
        return title_words(self.kind, self.facts["period"])

    @property
    def period(self) -> str:
        return period_words(self.kind, self.facts["period"])

    @property
    def superior(self) -> str:
        return on_letterhead(self.head.superior)

    @property
    def issuer(self) -> str:
        return on_letterhead(self.head.issuer)

    @property
    def numbered(self) -> str:
        return written_number(self.number, self.head.symbol)

    @property
    def dated(self) -> str:
        return dated(self.head, self.day)

    @property
    def parts(self) -> list[Part]:
        """The sections with their headings; a chapter without any text keeps its heading."""
        found = []
        for section in Section:
            chapter, heading = HEADINGS[section]
            written = self.text.get(section, "")
            found.append(Part(chapter, heading, [line for line in written.splitlines() if line]))
        return found

    @property
    def sections(self) -> Mapping[Section, Sequence[str]]:
        """The paragraphs of each section, for templates that place one by one."""
        return {section: one.paragraphs for section, one in zip(Section, self.parts, strict=True)}

    @property
    def closing(self) -> str:
        instead = f"; báo cáo này thay thế Báo cáo số {self.replaces}" if self.replaces else ""
        return f"{closing(self.head)}{instead}{END}"

    @property
    def recipients(self) -> list[str]:
        """«- …;» each, the last ends with a full stop."""
        last = len(self.head.recipients) - 1
        return [f"- {line}{';' if place < last else '.'}" for place, line in enumerate(self.head.recipients)]

    @property
    def sign_lines(self) -> list[str]:
        return [line.strip().upper() for line in self.head.sign_for.splitlines() if line.strip()]

    @property
    def sheets(self) -> Sequence[Sheet]:
        return self.facts["tables"]  # type: ignore[no-any-return]

    @property
    def sealed(self) -> str:
        """Which figures these are, and how anybody can check that they are the same."""
        return f"Số liệu chốt số {self.label}, mã kiểm tra {short(self.digest)}."

    @property
    def filename(self) -> str:
        """Without its ending: bao-cao-2019-10-Bỉm Sơn. What was signed stays as it was; that it holds no more is in the name."""
        mark = "-da-thu-hoi" if self.withdrawn else ""
        return f"bao-cao-{self.facts['period']}-{bare(self.facts['place'] or self.facts['town'])}{mark}"


def shown(value: Any, holds: str) -> str:
    """A cell as offices write it: 1.385, 84,95, – for nothing."""
    if value is None:
        return "" if holds in (WORDS, PLACE) else NOTHING
    if isinstance(value, str):
        return value
    return filters.number(value, PLACES_OF_A_PERCENT if holds == PERCENT else 0)


def heads(sheet: Sheet) -> tuple[list[tuple[str, int, int]], list[str]]:
    """The head of a table: its first row as (words, columns, rows), and the words of the second row."""
    first: list[tuple[str, int, int]] = []
    second: list[str] = []
    columns = sheet["columns"]
    grouped = any(column["group"] for column in columns)
    for place, column in enumerate(columns):
        if not column["group"]:
            first.append((column["text"], 1, 2 if grouped else 1))
        else:
            second.append(column["text"])
            if place and columns[place - 1]["group"] == column["group"]:
                words, wide, tall = first.pop()
                first.append((words, wide + 1, tall))
            else:
                first.append((column["group"], 1, 1))
    return first, second


def to_the_right(holds: str) -> bool:
    """Whether a cell of this kind stands at the right."""
    return holds not in (WORDS, PLACE)


def remarks(sheet: Sheet) -> str:
    """What is to be known of a table, below it; nothing where there is nothing."""
    return f"Ghi chú: {' '.join(sheet['notes'])}" if sheet["notes"] else ""
