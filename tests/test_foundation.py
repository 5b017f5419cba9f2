"""The floor everything stands on."""

from __future__ import annotations

import pytest
from flask import Flask
from flask_babel import force_locale
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crm.db import keep_prepared, transaction
from crm.errors import RuleBroken
from tests.factories import Make


def test_the_program_does_not_own_its_tables(session: Session) -> None:
    owners = set(session.scalars(text("select tableowner from pg_tables where schemaname = 'public'")))
    assert owners == {"crm_owner"}
    assert session.scalar(text("select current_user")) == "crm_app"


def test_a_person_of_another_towns_ward_is_refused_by_the_database(session: Session, make: Make) -> None:
    other = session.scalar(text("insert into town (id, code, name) values (gen_random_uuid(), 'x', 'X') returning id"))
    with pytest.raises(DBAPIError):
        make.prospect(town_id=other)


@pytest.mark.parametrize(
    ("language", "words"), [("vi", "Ở đây không có địa bàn “nowhere”"), ("en", "No place “nowhere”")]
)
def test_an_unknown_place_is_said_in_the_readers_language(app: Flask, make: Make, language: str, words: str) -> None:
    with app.test_request_context(), force_locale(language), pytest.raises(RuleBroken) as refused:
        make.ward("nowhere")
    with app.test_request_context(), force_locale(language):
        assert words in str(refused.value)


def test_a_failed_act_leaves_nothing(app: Flask, session: Session, make: Make) -> None:
    with pytest.raises(RuntimeError), transaction():
        make.prospect("Lê Văn Tám")
        raise RuntimeError
    assert session.scalar(text("select count(*) from prospect")) == 0


def test_what_is_prepared_outlives_a_page_that_only_reads_but_no_failure(app: Flask) -> None:
    engine = create_engine(app.config["SQLALCHEMY_DATABASE_URI"], pool_size=1, max_overflow=0)
    keep_prepared(engine)
    prepared = text("select count(*) from pg_prepared_statements where statement like '%generate_series%'")
    counted = text("select count(*) from generate_series(1, :to)")
    for _page in range(7):
        with engine.connect() as connection:
            connection.execute(counted, {"to": 9})
    with engine.connect() as connection:
        assert connection.scalar(prepared) == 1
    with engine.connect() as connection, pytest.raises(DBAPIError):
        connection.execute(text("select 1 / 0"))
    with engine.connect() as connection:
        assert connection.scalar(prepared) == 0
    engine.dispose()


@pytest.mark.parametrize(
    "statement",
    [
        "delete from message",
        "update message set body = 'x'",
        "update receipt set amount = amount * 2",
        "delete from receipt",
        "delete from allocation",
        "update allocation set amount = 1",
        "update ledger_account set balance = 10",
        "delete from visit",
        "delete from prospect",
    ],
)
def test_the_everyday_role_cannot_rewrite_money_messages_or_people(session: Session, statement: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied"), session.begin_nested():
        session.execute(text(statement))
