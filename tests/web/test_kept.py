"""What is kept for a moment in each process, and what is asked once a request."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import create_engine, text

from crm import db as database
from crm.db import engine_options, plain_engine
from crm.kept import MOST, Kept
from crm.web.once import once


def counted() -> Callable[[], int]:
    """A reader that says how often it was asked."""
    asked: list[None] = []

    def read() -> int:
        asked.append(None)
        return len(asked)

    return read


def test_an_answer_is_kept_for_its_seconds_and_read_again_after_them() -> None:
    at = [100.0]
    kept, read = Kept(2.0, lambda: at[0]), counted()
    assert (kept.get("places", read), kept.get("places", read)) == (1, 1)
    at[0] += 1.99
    assert kept.get("places", read) == 1
    at[0] += 0.02
    assert kept.get("places", read) == 2


def test_other_names_have_other_answers_and_nothing_is_kept_for_no_seconds() -> None:
    kept, read = Kept(2.0), counted()
    assert [kept.get(name, read) for name in ("a", "b", "a")] == [1, 2, 1]
    none, read = Kept(0), counted()
    assert [none.get("a", read), none.get("a", read)] == [1, 2]


def test_what_is_kept_does_not_grow_without_end() -> None:
    kept = Kept(60.0)
    for number in range(MOST + 10):
        kept.get(number, lambda: 0)
    assert len(kept.answers) == 10


def test_parts_of_a_page_share_an_answer_and_two_pages_do_not(app: Flask) -> None:
    read = counted()
    with app.test_request_context():
        assert (once("visits", read), once("visits", read)) == (1, 1)
    with app.app_context():
        assert once("visits", read) == 2


def test_a_connection_that_died_while_it_rested_is_replaced(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "RESTED", 0.0)
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    engine, other = create_engine(url, **engine_options()), plain_engine(url)
    with engine.connect() as connection:
        first = connection.scalar(text("select pg_backend_pid()"))
    with engine.connect() as connection:
        assert connection.scalar(text("select pg_backend_pid()")) == first
    with other.connect() as connection:
        connection.execute(text("select pg_terminate_backend(:pid)"), {"pid": first})
    with engine.connect() as connection:
        assert connection.scalar(text("select pg_backend_pid()")) != first
    engine.dispose()
