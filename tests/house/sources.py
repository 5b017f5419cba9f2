"""The program's sources, each parsed once for all the rules that read them."""

from __future__ import annotations

import ast
import gc
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from babel.messages.catalog import Message
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*(ROOT / "crm").rglob("*.py"), *(ROOT / "tasks").rglob("*.py"), ROOT / "config.py"])

TEMPLATES = sorted(path.relative_to(ROOT / "templates").as_posix() for path in (ROOT / "templates").rglob("*.html"))


@cache
def nodes(text: str) -> tuple[ast.AST, ...]:
    """Every node of a module, as `ast.walk` gives them. They stay, so nobody need look for garbage among them."""
    found = tuple(ast.walk(ast.parse(text)))
    gc.freeze()
    return found


def walked(saying: str = "") -> Iterator[tuple[Path, tuple[ast.AST, ...]]]:
    """Every source in which these letters stand, by its path from the root, with its nodes."""
    for source in SOURCES:
        text = source.read_text("utf-8")
        if saying in text:
            yield source.relative_to(ROOT), nodes(text)


@cache
def translations() -> tuple[tuple[Path, Message], ...]:
    """What every catalogue says in Vietnamese."""
    found = []
    for path in sorted((ROOT / "crm" / "translations").rglob("*.po")):
        with path.open("rb") as file:
            found += [(path, message) for message in read_po(file, locale="vi") if message.id]
    return tuple(found)


def all_of(text: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """The forms of a text with a plural, or the one there is."""
    return (text,) if isinstance(text, str) else tuple(text)
