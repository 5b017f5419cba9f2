"""Where the headings of a list stand, when somebody says so who sees the file's first rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from crm.errors import RuleBroken
from crm.prospects.importing.gateway import first_rows, open_list
from crm.prospects.importing.rules import cell_shown
from crm.prospects.models import ListImport
from crm.prospects.reading.lists import FirstRows
from crm.prospects.reading.outcomes import Unreadable
from crm.prospects.rules import ImportState
from crm.sealed import current as seal


def may_be_headed(row: ListImport) -> bool:
    """Whether one may still say where the headings of a list stand."""
    return row.state in (ImportState.READY, ImportState.FAILED) and row.content is not None


def beginnings(row: ListImport) -> list[FirstRows]:
    """How every sheet of a list begins, numbers of identity masked; nothing of a file that cannot be opened."""
    try:
        found = first_rows(_content(row), row.filename)
    except Unreadable:
        return []
    return [replace(one, rows=[[cell_shown(text, None) for text in cells] for cells in one.rows]) for one in found]


def check_headed(row: ListImport, headed: Mapping[str, Sequence[int]], today: date) -> None:
    """Raises RuleBroken when a list cannot be read with its headings in these rows (sheet → rows)."""
    options = {**row.options, "columns": {}, "mapping": {}, "headed": {**row.options.get("headed", {}), **headed}}
    try:
        open_list(_content(row), row.filename, options, today)
    except Unreadable as refusal:
        raise RuleBroken(refusal.sentence, code=refusal.reason.value) from None


def _content(row: ListImport) -> bytes:
    return seal().open_bytes(row.content or b"")
