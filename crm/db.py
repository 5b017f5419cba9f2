"""The database: the base of all models, and the only place that commits."""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import psycopg
from flask_sqlalchemy import SQLAlchemy
from psycopg.pq import ExecStatus, TransactionStatus
from sqlalchemy import (
    BigInteger,
    DateTime,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    LargeBinary,
    MetaData,
    Select,
    Text,
    create_engine,
    event,
    pool,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DisconnectionError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column, registry
from sqlalchemy.orm.session import Session
from sqlalchemy.pool import Pool
from sqlalchemy.types import TypeDecorator

from crm import sealed
from crm.errors import NotFound
from crm.ids import new_id

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


CHOICE: dict[str, Any] = {
    "native_enum": False,
    "create_constraint": True,
    "length": 40,
    "values_callable": lambda choices: [choice.value for choice in choices],
}


class Base(DeclarativeBase):
    """Money and counts are 64-bit, moments carry a zone, text has no arbitrary length."""

    registry = registry(
        type_annotation_map={
            int: BigInteger,
            datetime: DateTime(timezone=True),
            str: Text,
            enum.Enum: Enum(enum.Enum, **CHOICE),
            list[str]: ARRAY(Text),
            dict[str, Any]: JSONB(none_as_null=True),
        }
    )
    metadata = MetaData(naming_convention=NAMES)


db = SQLAlchemy(model_class=Base)

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


class TownRow:
    """A row that belongs to one town: the town is part of its key, and of every key that points to it."""

    __tablename__: Any

    @declared_attr
    def town_id(cls) -> Mapped[UUID]:  # noqa: N805
        return mapped_column(ForeignKey("town.id"), primary_key=True, sort_order=-2)

    @declared_attr
    def id(cls) -> Mapped[UUID]:  # noqa: N805
        return mapped_column(primary_key=True, default=new_id, sort_order=-1)


def refers(column: str, table: str) -> ForeignKeyConstraint:
    """`column` points to a row of `table` in the same town."""
    return ForeignKeyConstraint(["town_id", column], [f"{table}.town_id", f"{table}.id"])


class SealedText(TypeDecorator[str]):
    """Text that is encrypted at rest (crm/sealed.py). Find it by a blind index beside it, never by this column."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> bytes | None:
        return None if value is None else sealed.current().close(value)

    def process_result_value(self, value: bytes | None, dialect: Any) -> str | None:
        return None if value is None else sealed.current().open(bytes(value))


def choice(options: type[enum.Enum], name: str) -> Enum:
    """A column of one of `options`, with a constraint name of its own where a table has two of the kind."""
    return Enum(options, name=name, **CHOICE)


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
        if "in_one_commit" in current.info:
            current.flush()
        else:
            current.commit()
    except BaseException:
        current.rollback()
        raise
    finally:
        current.info.pop("in_transaction_block", None)


MOST_UNDONE = 5
"""So often in a row a step is taken again."""


def step_by_step(step: Callable[[Session], bool]) -> None:
    """Take a step to a transaction until one says that nothing more is to be done. Whoever dies between two has lost none.
    A step the database undid because two waited for each other is taken again."""
    more, undone = True, 0
    while more:
        try:
            with transaction() as current:
                more = step(current)
            undone = 0
        except OperationalError as failed:
            undone += 1
            if undone > MOST_UNDONE or not isinstance(failed.orig, psycopg.errors.DeadlockDetected):
                raise


@contextmanager
def one_commit() -> Iterator[Session]:
    """What the blocks of `transaction()` inside would commit becomes one commit, at the end of this block."""
    current = session()
    waiting: list[Callable[[], object]] = []
    current.info["in_one_commit"] = waiting
    try:
        yield current
        current.commit()
    except BaseException:
        current.rollback()
        raise
    finally:
        current.info.pop("in_one_commit", None)
    for act in waiting:
        act()


@contextmanager
def aside() -> Iterator[Session]:
    """A short transaction beside the long one that is open: what it says can be seen at once, whatever becomes of the
    long one. It must not touch rows that the long one has changed. Inside `one_commit()` there is no beside."""
    current = session()
    if "in_one_commit" in current.info:
        yield current
        current.flush()
        return
    with db.session.session_factory() as beside, beside.begin():
        yield beside


@contextmanager
def one_moment() -> Iterator[Session]:
    """A session beside the open one that only reads, and reads all as of one moment, whatever others commit meanwhile: the
    parts of what is counted over many queries add up. It does not see what the open one has not committed."""
    current = session()
    if "in_one_commit" in current.info or isinstance(current.get_bind(), Connection):
        yield current
        return
    with db.session.session_factory() as beside:
        beside.connection(execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True})
        yield beside
        beside.rollback()


def wait_for_commit(act: Callable[[], object]) -> bool:
    """Inside `one_commit()`: do this after it, and say True. Elsewhere nothing waits: False."""
    waiting: list[Callable[[], object]] | None = session().info.get("in_one_commit")
    if waiting is None:
        return False
    waiting.append(act)
    return True


def engine_options(**more: Any) -> dict[str, Any]:
    """How the web and the workers connect: few connections, those that rested are checked before use, and no failure tells
    the values that were asked with."""
    return {"pool_size": 6, "max_overflow": 4, "pool_timeout": 10, "hide_parameters": True, **more}


RESTED = 5.0
"""Seconds after which a connection of the pool is asked whether it still lives."""


@event.listens_for(Pool, "checkin")
def _rests(_connection: Any, record: Any) -> None:
    record.info["rests_since"] = time.monotonic()


@event.listens_for(Pool, "checkout")
def _still_lives(connection: Any, record: Any, _proxy: Any) -> None:
    """Like SQLAlchemy's pre-ping, but without a round trip on every page of a busy minute."""
    since = record.info.get("rests_since")
    if since is None or time.monotonic() - since < RESTED:
        return
    try:
        connection.execute("select 1")
        connection.commit()
    except psycopg.Error:
        raise DisconnectionError from None


def keep_prepared(engine: Engine) -> None:
    """Let connections remember what they have prepared when a page ends.

    Every page that only reads ends with a rollback, and with each one psycopg forgets the statements the server has prepared,
    for a table they ask may have been made in what is undone. Nothing served here makes tables; so a transaction in
    which all went well is undone below psycopg. After a failure it still forgets: then a statement may be what failed.
    """
    engine.dialect.do_rollback = _undo  # type: ignore[method-assign, assignment]


def _undo(connection: Any) -> None:
    well = connection.pgconn.transaction_status == TransactionStatus.INTRANS
    if not (well and connection.pgconn.exec_(b"ROLLBACK").status == ExecStatus.COMMAND_OK):
        connection.rollback()


Found = TypeVar("Found")


def one_found(session: Session, query: Select[Found], *, lock: bool = False) -> Found:
    """The one row a query finds; with `lock` as it stands now and held until the commit. Raises NotFound."""
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalar(query)
    if found is None:
        raise NotFound
    return found


def plain_engine(url: str) -> Engine:
    """An engine without a pool, for migrations and one-off commands."""
    return create_engine(url, poolclass=pool.NullPool, hide_parameters=True)
