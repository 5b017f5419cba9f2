"""What many revisions are put together from: keys of a town's rows, words out of a list, checks that are widened.

A revision says what was done on its day and stays as it is. So do these: what one of them makes never changes, for every
revision that used it would then have done something else.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import sqlalchemy as sa
from alembic import op


def key() -> tuple[sa.Column[object], ...]:
    """The columns of the primary key of a town's row."""
    return sa.Column("town_id", sa.Uuid(), nullable=False), sa.Column("id", sa.Uuid(), nullable=False)


def one_of(name: str, *choices: str) -> sa.Enum:
    """A column of text that the check ck_<table>_<name> holds to these words."""
    return sa.Enum(*choices, name=name, native_enum=False, create_constraint=True, length=40)


def refers(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    """A table's key to its town, and for each column the one to the table it names, within the town."""
    return [
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f(f"fk_{table}_town_id")),
        *(points(table, column, to) for column, to in columns.items()),
    ]


def points(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    """The key of one column to another table, within the town."""
    name = op.f(f"fk_{table}_town_id_{column}")
    return sa.ForeignKeyConstraint(["town_id", column], [f"{to}.town_id", f"{to}.id"], name=name)


def of_the_town(table: str, **columns: str) -> tuple[sa.schema.SchemaItem, ...]:
    """The key of a town's row with its constraints, and what its columns refer to."""
    return (
        *key(),
        *refers(table, **columns),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f(f"pk_{table}")),
    )


def law_keys(change: Callable[[list[str]], list[str]]) -> None:
    """The keys that the law's table takes are changed, whatever they are now."""
    name = op.f("ck_law_value_lawkey")
    known = [part.split("'")[1] for part in _told(name).split(",")]
    op.drop_constraint(name, "law_value", type_="check")
    op.create_check_constraint(name, "law_value", sa.column("key", sa.String).in_(change(known)))


def reasons(table: str) -> set[str]:
    """The reasons that the check of a table allows now."""
    return set(re.findall("'([a-z_]+)'", _told(f"ck_{table}_reason")))


def allow(table: str, reasons: set[str]) -> None:
    """The check of a table allows these reasons from now on."""
    words = ", ".join(f"'{reason}'" for reason in sorted(reasons))
    op.drop_constraint(op.f(f"ck_{table}_reason"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_reason"), table, f"reason in ({words})")


def _told(constraint: str) -> str:
    query = sa.text("select pg_get_constraintdef(oid) from pg_constraint where conname = :name")
    return str(op.get_bind().execute(query, {"name": constraint}).scalar_one())
