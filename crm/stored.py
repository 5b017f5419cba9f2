"""The few settings that the database itself keeps: the epoch of the data and the moved clock of a demo."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from crm.db import Model


class Setting(Model):
    """A name and its value."""

    __tablename__ = "setting"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(JSONB)


def read(session: Session, name: str) -> Any:
    """The value, or None."""
    setting = session.get(Setting, name)
    return setting.value if setting else None


def read_all(session: Session, names: Collection[str]) -> dict[str, Any]:
    """Those of these values that there are, by their names."""
    rows = session.execute(select(Setting.name, Setting.value).where(Setting.name.in_(names)))
    return {row[0]: row[1] for row in rows}


def write(session: Session, name: str, value: Any) -> None:
    """Keep a value under a name, whatever was there."""
    statement = insert(Setting).values(name=name, value=value)
    session.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": value}))
