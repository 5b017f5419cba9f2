"""The program's sources, each parsed once for all the rules that read them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*(ROOT / "crm").rglob("*.py"), *(ROOT / "tasks").rglob("*.py"), ROOT / "config.py"])

TEMPLATES = sorted(path.relative_to(ROOT / "templates").as_posix() for path in (ROOT / "templates").rglob("*.html"))


@cache
def nodes(source: Path) -> tuple[ast.AST, ...]:
    """Every node of a file, as `ast.walk` gives them."""
    return tuple(ast.walk(ast.parse(source.read_text("utf-8"))))


def walked(saying: str = "") -> Iterator[tuple[Path, tuple[ast.AST, ...]]]:
    """Every source in which these letters stand, by its path from the root, with its nodes."""
    for source in SOURCES:
        if saying in source.read_text("utf-8"):
            yield source.relative_to(ROOT), nodes(source)
