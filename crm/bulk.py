"""Many rows in one short statement, told to the database as one value.

An INSERT that names every value of a thousand rows is a text of some megabytes, which the program writes, the driver reads
through for its parameters and the database reads again: more work than the rows are. Here the statement is the same for one
row and for thousands. Constraints and triggers look at the rows as ever, in the order they are told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, column, func, select
from sqlalchemy.dialects.postgresql import JSONB, Insert, insert

from crm.db import Model


def insert_rows(into: type[Model], rows: Sequence[Mapping[str, Any]]) -> Insert:
    """The statement that adds these rows, at least one, all with the same columns; `returning` and `on_conflict_do_nothing`
    may follow.

    Values are ids, days, moments, whole numbers, texts, choices, truths, None, and in a JSON column what JSON has. Columns
    that are sealed cannot be told in this way.
    """
    names = list(rows[0])
    table = into.__table__
    columns = [column(name, table.c[name].type) for name in names]
    json = {name for name in names if isinstance(table.c[name].type, JSONB)}
    told = [{name: row[name] if name in json else _plain(row[name]) for name in names} for row in rows]
    given = func.jsonb_to_recordset(bindparam("rows", told, type_=JSONB)).table_valued(*columns)
    return insert(into).from_select(names, select(given.render_derived(with_types=True)))


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int) else str(value)
