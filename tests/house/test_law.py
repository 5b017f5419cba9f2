"""The law changes and old months keep theirs: no number of the law stands in code, in a script, in a page or in a sentence.

Sums are looked for everywhere; numbers of months such as 120 as well, unless they say how long a text may be. Smaller ones
mean a thousand other things: they are looked for in every module of rules that computes with the law, and on every line
that speaks of it. What is found and is no law stands in `NO_LAW` with its reason.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import product

from crm.premiums.rules.keys import PERIODS, LawKey
from crm.premiums.services import law_entries
from tests.house.sources import ROOT, all_of, nodes, translations

SUMS = 1_000
LARGE = 100
RULES = re.compile(r"crm/(premiums|participation|decrees)/(.*/)?rules\b")
SPEAKS_OF_LAW = re.compile(
    r"support|percent|premium|poverty|pension|contribut|retire|ceiling|maternity|survivor|coefficient"
    r"|\bfloor\b|\brate\b|\bincome\b|\b(near_)?poor\b|\b(wo)?men\b|\bcap\b|\bleast\b",
    re.IGNORECASE,
)
PLAIN = {Decimal(number) for number in (0, 1, 2, 12, 100)}
"""Nothing, one, a pair, the months of a year, per cent."""
PERIOD = {Decimal(months) for months in PERIODS.values()}

NO_LAW: dict[str, dict[str, str]] = {
    "crm/demo/giving.py": {"5": "place of a sponsor in the list", "40": "years of age that a sponsor wishes for"},
    "crm/demo/team.py": {"120": "volunteers of the demo town"},
    "crm/demo/texting.py": {"240": "seconds between an answer and the next"},
    "crm/prospects/reading/columns.py": {"120": "letters of a heading"},
    "crm/sponsors/giving/forms.py": {"500000": "đồng that one may tap"},
    "crm/sponsors/routes.py": {"120": "letters of a search"},
    "crm/campaigns/resources.py": {"120": "letters of a name"},
    "crm/demo/taking_part.py": {"700": "days since somebody joined in the demo town"},
    "crm/decrees/rules/saying.py": {"20": "years a day of effect may lie ahead", "40": "lines of a decree"},
    "crm/participation/rules.py": {"30": "days before a deadline shows"},
    "crm/participation/guard/rules.py": {"7": "days", "30": "days", "60": "days before we speak of what ends"},
    "crm/premiums/calculator/rules.py": {
        "4": "incomes side by side",
        "5": "years between two lines of a table",
        "10": "years paid in an example",
    },
    "crm/premiums/calculator/life.py": {"15": "years of pension in a picture"},
    "crm/followups/rules.py": {"7": "the order of a reason to call"},
    "crm/participation/cards.py": {"40": "the order of a card"},
    "crm/prospects/identity/rules.py": {"75": "marks of a likeness", "25": "marks of a likeness"},
    "crm/reports/money/tables.py": {"5": "the place of a column"},
    "crm/sponsors/queries.py": {"4": "the place of a column"},
    "tools/frontend/js/calculator/sheet.js": {"10": "tenths"},
    "crm/targets/rules.py": {"5": "half of a last digit"},
}


def law() -> set[Decimal]:
    """Every number of the law, and what follows from it: shares, premiums on the least income, what the State gives."""
    entries = law_entries()
    by_key: dict[str, set[Decimal]] = {}
    for entry in entries:
        by_key.setdefault(entry["key"], set()).add(Decimal(entry["value"]))
    percents = {value for key, values in by_key.items() if key.endswith("_percent") for value in values}
    found = {Decimal(entry["value"]) for entry in entries} | {value / 100 for value in percents}
    premiums = {
        rate * floor / 100 for rate, floor in product(by_key[LawKey.CONTRIBUTION_PERCENT], by_key[LawKey.POVERTY_LINE])
    }
    given = {premium * share / 100 for premium, share in product(premiums, by_key[LawKey.SUPPORT_PERCENT])}
    highest = {times * level for times, level in product(by_key[LawKey.CEILING_MULTIPLE], by_key[LawKey.BASE_LEVEL])}
    return found | premiums | given | highest


LAW = law()
SUMS_LAW = {value for value in LAW if value >= SUMS}
MONTHS_LAW = {value for value in LAW if LARGE < value < SUMS}
SMALL_LAW = LAW - SUMS_LAW - MONTHS_LAW - PLAIN - PERIOD
LENGTHS = re.compile(r"LONGEST|OLDEST|Length\(|max=")
"""How long a text may be, or how old somebody is that nobody believes any more."""


def numbers_in_python(text: str) -> Iterator[tuple[int, Decimal]]:
    """Numbers written in code, with their line; not those in comments and sentences."""
    for node in nodes(text):
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            yield node.lineno, Decimal(str(node.value))


def numbers_in_constraints(text: str) -> Iterator[tuple[int, Decimal]]:
    """Numbers in the SQL of the check constraints that keep how many months something is for."""
    for node in nodes(text):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("CheckConstraint") and node.args:
            for part in ast.walk(node.args[0]):
                if isinstance(part, ast.Constant) and isinstance(part.value, str) and "months" in part.value:
                    yield from ((node.lineno, value) for _line, value in numbers_in_text(part.value))


def is_of_the_law(path: str, line: str, value: Decimal) -> bool:
    """Whether a number at this place is one of the law's, as far as anybody can tell."""
    if str(value) in NO_LAW.get(path, {}):
        return False
    if value in SUMS_LAW:
        return True
    if value in MONTHS_LAW:
        return not LENGTHS.search(line)
    if "Numeric(" in line:
        return False
    said = line.partition("  #")[0]
    return value in SMALL_LAW and bool(RULES.match(path) or SPEAKS_OF_LAW.search(said) or OF_A_HUNDRED.search(said))


OF_A_HUNDRED = re.compile(r"(?<![\w.])[0-9]+(\.[0-9]+)?\s*(/|//)\s*100\b|[*]\s*[0-9]+(\.[0-9]+)?\s*//?\s*100\b")
"""A percentage written out: 22 / 100, n * 22 // 100."""

WRITTEN = re.compile(r"(?<![\w.#&-])(?:[0-9]{1,3}(?:[._][0-9]{3})+|[0-9]+(?:[.,][0-9]+)?)(?![\w-])")


def numbers_in_text(text: str) -> Iterator[tuple[int, Decimal]]:
    """Numbers in a script, a page or a sentence: 1500000, 1_500_000, 1.500.000, 22,5."""
    for found in WRITTEN.finditer(text):
        figures = found[0]
        grouped = re.fullmatch(r"[0-9]{1,3}(?:[._][0-9]{3})+", figures)
        plain = re.sub(r"[._]", "", figures) if grouped else figures.replace(",", ".")
        yield text.count("\n", 0, found.start()) + 1, Decimal(plain)


def in_code(path: str, text: str) -> list[str]:
    """Where a module holds a number of the law."""
    lines = text.splitlines()
    return [
        f"{path}:{line}: {value} in {lines[line - 1].strip()}"
        for line, value in numbers_in_python(text)
        if is_of_the_law(path, lines[line - 1], value)
    ] + [
        f"{path}:{line}: {value} in {lines[line - 1].strip()}"
        for line, value in numbers_in_constraints(text)
        if value in LAW and value > max(PERIOD)
    ]


def in_page(path: str, text: str) -> list[str]:
    """Where a page or a script does. Comments, sentences (looked at by themselves) and drawings are no arithmetic."""
    drawings = r'(width|height|viewBox|d)="[^"]*"'
    for what in (r"\{#.*?#\}", r"/\*.*?\*/", r"(?m)^\s*//.*$", r'_\("[^"]*"', r"<svg.*?</svg>", drawings):
        text = re.sub(what, lambda away: "\n" * away[0].count("\n"), text, flags=re.DOTALL)
    return [f"{path}:{line}: {value}" for line, value in numbers_in_text(text) if value in SUMS_LAW | MONTHS_LAW]


MINIFIED = 500
"""A line longer than this is put together by a machine; its source is looked at."""


def in_script(path: str, text: str) -> list[str]:
    """Where a script or a paper does: sums and months as in a page, and smaller numbers on a line that speaks of the law."""
    found = in_page(path, text)
    lines = re.sub(r"/\*.*?\*/", lambda away: "\n" * away[0].count("\n"), text, flags=re.DOTALL).splitlines()
    for number, line in enumerate(lines, start=1):
        said = re.sub(r"(?<!:)//\s.*$", "", line)
        if len(said) > MINIFIED or not (SPEAKS_OF_LAW.search(said) or OF_A_HUNDRED.search(said)):
            continue
        said = re.sub(r"[0-9.]+(pt|mm|cm|em|fr|px|%)", "", said)
        found += [f"{path}:{number}: {value}" for _line, value in numbers_in_text(said) if value in SMALL_LAW]
    return [one for one in found if one.rpartition(": ")[2] not in NO_LAW.get(path, {})]


SCRIPTS = (("crm/static/js", "*.js"), ("templates", "*.js"), ("tools/frontend/js", "*.js"), ("crm", "*.typ"))


def test_no_number_of_the_law_stands_in_code() -> None:
    found = [
        one
        for source in sorted([*(ROOT / "crm").rglob("*.py"), *(ROOT / "tasks").rglob("*.py")])
        for one in in_code(source.relative_to(ROOT).as_posix(), source.read_text("utf-8"))
    ]
    assert not found, "\n".join(found)


def test_no_number_of_the_law_stands_in_a_script_or_a_page() -> None:
    found = [
        one
        for source in sorted((ROOT / "templates").rglob("*.html"))
        for one in in_page(source.relative_to(ROOT).as_posix(), source.read_text("utf-8"))
    ]
    found += [
        one
        for folder, names in SCRIPTS
        for source in sorted((ROOT / folder).rglob(names))
        for one in in_script(source.relative_to(ROOT).as_posix(), source.read_text("utf-8"))
    ]
    assert not found, "\n".join(found)


def test_no_sentence_says_from_which_day_a_law_holds() -> None:
    days = {date.fromisoformat(str(entry["effective_from"])) for entry in law_entries()}
    spoken = {f"{day.day}/{day.month}/{day.year}" for day in days} | {f"{day:%d/%m/%Y}" for day in days}
    spoken |= {f"{day:%d}/{day.month}/{day.year}" for day in days}
    found = [
        f"{source.name}: {sentence}"
        for source, message in translations()
        for sentence in all_of(message.string)
        if any(re.search(rf"(?<![0-9]){re.escape(day)}(?![0-9])", sentence) for day in spoken)
    ]
    assert not found, "\n".join(found)


def test_every_excuse_is_still_needed() -> None:
    for path, numbers in NO_LAW.items():
        numbers_in = numbers_in_python if path.endswith(".py") else numbers_in_text
        there = {str(value) for _line, value in numbers_in((ROOT / path).read_text("utf-8"))}
        assert numbers.keys() <= there, path


def test_the_search_finds_what_somebody_might_write() -> None:
    written = [
        "rate = 0.22",
        "floor = 1_500_000",
        "fee = 154000.0",
        "if months > 120: stop()",
        "support = {POOR: 30}",
        "pension = income * 45 / 100",
        "least = 180",
        'CheckConstraint("months between 1 and 60")',
        'CheckConstraint("months between 1 and case when missing then 120 else 24 end", name="months")',
    ]
    assert all(in_code("crm/reports/figures.py", line) for line in written)
    assert in_code("crm/premiums/rules/benefits/new.py", "old_enough = age >= 15")
    assert not in_code(
        "crm/reports/figures.py", 'CheckConstraint(f"months between 1 and {LONGEST_RUN}", name="months")'
    )
    assert not in_code("crm/reports/figures.py", "page = 20\nname = Length(max=120)\nminutes = 15")
    assert in_page("x.html", "{{ 1500000|vnd }}")
    assert in_page("x.js", "const most = 120; const fee = 330_000;")
    assert all(in_code("crm/sponsors/x.py", line) for line in ("a = n * 22 // 100", "b = income * 0.3", "least = 15"))
    assert len(in_script("x.js", "const rate = 22 / 100;\nconst poor = 0.5;\nconst women = 15;\nconst cap = 75;")) == 4
    assert in_script("x.typ", "#let share = income * 22 / 100")
    assert not in_script("x.typ", "#table(columns: (22pt, 15mm), income)")
    assert {value for _line, value in numbers_in_text("«1.500.000 đ» 22,5")} == {Decimal(1_500_000), Decimal("22.5")}


def test_every_number_of_the_law_is_looked_for() -> None:
    assert {Decimal(value) for value in ("22", "0.22", "30", "25", "50", "40", "20", "15", "75", "45")} <= SMALL_LAW
    assert {Decimal(value) for value in (154_000, 330_000, 700_000, 1_500_000, 50_000, 2_000_000)} <= SUMS_LAW
    assert {Decimal(value) for value in (120, 180)} <= MONTHS_LAW
    assert {Decimal(entry["value"]) for entry in law_entries()} <= SUMS_LAW | MONTHS_LAW | SMALL_LAW | PLAIN | PERIOD
