"""Every sentence a person can see has its Vietnamese, and says no number of the law."""

from __future__ import annotations

import ast
import re
from functools import cache

from tests.house.sources import ROOT, TEMPLATES, all_of, translations, walked
from tests.house.test_law import MONTHS_LAW, SUMS_LAW, numbers_in_text
from tools.messages import spoken

MOST_WITHOUT = {"number": 2, "vnd": 1}
"""How many arguments each takes before the language."""
PLACE = re.compile(r"%\((\w+)\)")
FAMILIAR = re.compile(r"\bbạn\b", re.IGNORECASE)


@cache
def said() -> dict[str, str]:
    """Each text in code and templates, with where it stands."""
    return {
        text: f"{path.relative_to(ROOT)}:{line}" for path, line, message in spoken() for text in all_of(message) if text
    }


@cache
def translated() -> dict[str, str]:
    """The Vietnamese of each text, where all of it is there."""
    return {
        one: all_of(message.string)[0]
        for _path, message in translations()
        if not message.fuzzy and all(all_of(message.string))
        for one in all_of(message.id)
    }


def test_every_text_has_its_vietnamese() -> None:
    known = translated()
    missing = sorted(f"{place}: {text!r}" for text, place in said().items() if text not in known)
    assert not missing, "\n".join(missing)


def test_a_text_has_one_vietnamese_whoever_says_it() -> None:
    """All catalogues are asked as one: of two translations of a text only one is ever seen, also where it is wrong."""
    found: dict[str, dict[str, str]] = {}
    for path, message in translations():
        for text in all_of(message.id)[:1]:
            found.setdefault(f"{message.context or ''}{text}", {})[path.stem] = str(message.string)
    told = {text: by_catalogue for text, by_catalogue in found.items() if text and len(set(by_catalogue.values())) > 1}
    assert told == {}


def test_whoever_reads_is_spoken_to_as_officials_speak() -> None:
    """«anh/chị» to those who work here, «ông/bà» to residents; never «bạn», which older readers find too familiar."""
    told = [text for _path, message in translations() for text in all_of(message.string) if FAMILIAR.search(text)]
    assert told == []


def test_a_translation_names_the_same_places() -> None:
    wrong = [
        text
        for text, vietnamese in translated().items()
        if not set(PLACE.findall(vietnamese)) <= set(PLACE.findall(text))
    ]
    assert wrong == []


def test_every_imported_macro_is_used() -> None:
    unused = []
    for name in TEMPLATES:
        source = (ROOT / "templates" / name).read_text("utf-8")
        for line in re.findall(r"{%-?\s*from\s+\S+\s+import\s+(.+?)\s*-?%}", source):
            for macro in (part.split(" as ")[-1].split()[0] for part in line.replace("with context", "").split(",")):
                if len(re.findall(rf"\b{macro}\b", source)) < 2:
                    unused.append(f"{name}: {macro}")
    assert unused == []


def test_no_sentence_says_a_number_of_the_law() -> None:
    """But the one that shows how a sum is written, and those of lengths and ages."""
    shows_how = re.compile(r"such as 1\.500\.000|letters|years ago")
    found = [
        f"{where}: {value} in {sentence!r}"
        for sentence, where in said().items()
        for _line, value in numbers_in_text(sentence)
        if value in SUMS_LAW | MONTHS_LAW and not shows_how.search(sentence)
    ]
    assert not found, "\n".join(found)


def test_numbers_and_sums_are_written_in_somebody_s_language() -> None:
    """`number` and `vnd` write Vietnamese unless told otherwise: whoever calls them says the language, or takes `in_number`
    and `in_money`, which follow the reader."""
    silent = []
    for source, nodes in walked("crm.web.filters import"):
        known = {
            alias.asname or alias.name: MOST_WITHOUT[alias.name]
            for node in nodes
            if isinstance(node, ast.ImportFrom) and node.module == "crm.web.filters"
            for alias in node.names
            if alias.name in MOST_WITHOUT
        }
        silent += [
            f"{source}:{node.lineno}"
            for node in nodes
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in known
            if len(node.args) <= known[node.func.id] and not any(word.arg == "locale" for word in node.keywords)
        ]
    assert not silent, "\n".join(silent)
