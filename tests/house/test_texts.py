"""Every sentence a person can see has its Vietnamese, and says no number of the law."""

from __future__ import annotations

import re
from functools import cache

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from tests.house.sources import ROOT, TEMPLATES
from tests.house.test_law import MONTHS_LAW, SUMS_LAW, numbers_in_text
from tools.messages import KEYWORDS

CATALOGUES = sorted((ROOT / "crm" / "translations" / "vi" / "LC_MESSAGES").glob("*.po"))
PLACE = re.compile(r"%\((\w+)\)")


@cache
def said() -> dict[str, str]:
    """Each text in code and templates, with where it stands."""
    texts: dict[str, str] = {}
    for folder, ways in (
        (ROOT / "crm", [("**.py", "python")]),
        (ROOT / "templates", [("**.html", "jinja2")]),
        (ROOT / "tasks", [("**.py", "python")]),
    ):
        for filename, line, message, *_ in extract_from_dir(folder, ways, keywords=KEYWORDS):
            for text in message if isinstance(message, tuple) else (message,):
                if text:
                    texts[text] = f"{folder.name}/{filename}:{line}"
    return texts


@cache
def translated() -> dict[str, str]:
    texts: dict[str, str] = {}
    for path in CATALOGUES:
        with path.open("rb") as file:
            catalogue = read_po(file, locale="vi")
        for message in catalogue:
            if not message.id or message.fuzzy:
                continue
            ids = message.id if isinstance(message.id, tuple) else (message.id,)
            strings = message.string if isinstance(message.string, tuple) else (message.string,)
            for one in ids:
                if all(strings):
                    texts[one] = strings[0]
    return texts


def test_every_text_has_its_vietnamese() -> None:
    known = translated()
    missing = sorted(f"{place}: {text!r}" for text, place in said().items() if text not in known)
    assert not missing, "\n".join(missing)


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
