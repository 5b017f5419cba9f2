"""The database: the base of all models, and the only place that commits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    MetaData,
    Text,
    create_engine,
    pool,
)
from sqlalchemy.engine import Engine
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column, registry
from sqlalchemy.orm import scoped_session as scoped_session
from sqlalchemy.orm.session import Session

from crm.ids import new_id

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Money and counts are 64-bit, moments carry a zone, text has no arbitrary length."""

    registry = registry(type_annotation_map={int: BigInteger, datetime: DateTime(timezone=True), str: Text})
    metadata = MetaData(naming_convention=NAMES)


db = SQLAlchemy(model_class=Base)

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


class TownRow:
    """A row that belongs to one town: the town is part of its key, and of every key that points to it."""

    @declared_attr
    def town_id(cls) -> Mapped[UUID]:  # noqa: N805
        return mapped_column(ForeignKey("town.id"), primary_key=True, sort_order=-2)

    @declared_attr
    def id(cls) -> Mapped[UUID]:  # noqa: N805
        return mapped_column(primary_key=True, default=new_id, sort_order=-1)


def refers(column: str, table: str) -> ForeignKeyConstraint:
    """`column` points to a row of `table` in the same town."""
    return ForeignKeyConstraint(["town_id", column], [f"{table}.town_id", f"{table}.id"])


def session() -> Session:
    """The session of this request, task or command."""
    return db.session()


@contextmanager
def transaction() -> Iterator[Session]:
    """All of it or nothing. Opened by a route, a task or a command, never inside another."""
    current = session()
    if current.info.get("in_transaction_block"):
        raise RuntimeError("transaction() was opened inside another: the edge opens it once")
    current.info["in_transaction_block"] = True
    try:
        yield current
        current.commit()
    except BaseException:
        current.rollback()
        raise
    finally:
        current.info.pop("in_transaction_block", None)


def engine_options(**more: Any) -> dict[str, Any]:
    """How the web and the workers connect: few connections, checked before use."""
    return {"pool_pre_ping": True, "pool_size": 6, "max_overflow": 4, "pool_timeout": 10, **more}


def plain_engine(url: str) -> Engine:
    """An engine without a pool, for migrations and one-off commands."""
    return create_engine(url, poolclass=pool.NullPool)
