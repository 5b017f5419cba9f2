"""Puts texts that have no Vietnamese yet into the catalogue of their package, and drops those nobody says any more.

`make messages`, then fill in the empty translations; a house test keeps `make check` red until none is empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent
CATALOGUES = ROOT / "crm" / "translations" / "vi" / "LC_MESSAGES"
KEYWORDS = dict.fromkeys(("_", "_l", "gettext", "lazy_gettext"))
KEYWORDS |= dict.fromkeys(("ngettext", "lazy_ngettext", "_n", "_ln"), (1, 2))
OF_LIBRARIES = {"api", "wtforms", "flask_security"}
"""Catalogues whose texts stand in libraries, not here."""

SHARED = {"layouts": "design", "components": "design", "errors": "design"}
INSIDE = {
    "reading": "reading",
    "benefits": "benefits",
    "matching": "matching",
    "giving": "giving",
    "ledger": "ledger",
    "letters": "letters",
    "treasury": "treasury",
    "cliff": "cliff",
    "statements": "statements",
    "numbers": "numbers",
    "inbox": "inbox",
    "restored": "restored",
    "tracing": "tracing",
    "files": "message_files",
    "documents": "documents",
    "rounds": "rounds",
    "duties": "duties",
    "events": "events",
    "amendments": "amendments",
}
"""Folders of a package that have a catalogue of their own."""


def domain_of(path: Path) -> str:
    """The catalogue that a source file's texts belong to."""
    parts = path.relative_to(ROOT).parts
    for part in parts:
        if part in INSIDE:
            return INSIDE[part]
    return SHARED.get(parts[1], parts[1]) if len(parts) > 2 else "web"


SAYS = re.compile(rf"\b(?:{'|'.join(KEYWORDS)})\s*\(")
"""What stands in every file that says something; taking other files apart takes longer than looking."""


def spoken() -> Iterator[tuple[Path, int, str | tuple[str, ...]]]:
    """Every text in code and templates, with its file and line; a text with a plural is a pair."""
    for folder, kind in (("crm", "python"), ("tasks", "python"), ("templates", "jinja2")):
        for path in sorted((ROOT / folder).rglob("*.html" if kind == "jinja2" else "*.py")):
            if SAYS.search(path.read_text("utf-8")):
                for line, message, *_ in extract_from_file(kind, path, keywords=KEYWORDS):
                    yield path, line, message


def said() -> dict[str, dict[str | tuple[str, ...], str]]:
    """Texts by catalogue, each with the file that says it."""
    found: dict[str, dict[str | tuple[str, ...], str]] = {}
    for path, _line, message in spoken():
        text = message[:2] if isinstance(message, tuple) else message
        found.setdefault(domain_of(path), {})[text] = path.relative_to(ROOT).as_posix()
    return found


def load(domain: str) -> Catalog:
    path = CATALOGUES / f"{domain}.po"
    if not path.exists():
        return Catalog(locale="vi", domain=domain, fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale="vi", domain=domain)


def main() -> None:
    texts = said()
    names = {path.stem for path in CATALOGUES.glob("*.po")} | set(texts)
    catalogues = {name: load(name) for name in sorted(names)}
    known = {message.id for catalogue in catalogues.values() for message in catalogue if message.id}
    everything = {text for found in texts.values() for text in found}
    for name, catalogue in catalogues.items():
        new = {text: place for text, place in texts.get(name, {}).items() if text not in known}
        old = [message.id for message in catalogue if message.id and message.id not in everything]
        gone = [] if name in OF_LIBRARIES else old
        for text in gone:
            catalogue.delete(text)
        for text, place in sorted(new.items(), key=lambda item: item[1]):
            catalogue.add(text, locations=[(place, None)], flags=["python-format"] if "%(" in str(text) else [])
        if new or gone:
            with (CATALOGUES / f"{name}.po").open("wb") as file:
                write_po(file, catalogue, width=110, include_lineno=False, ignore_obsolete=True, sort_output=False)
            print(f"{name}: {len(new)} new, {len(gone)} dropped")


if __name__ == "__main__":
    main()
