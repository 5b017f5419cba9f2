"""The books of a town that used the program before are carried over, and back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from config import Settings
from crm.app import create_app
from crm.db import plain_engine

BEFORE, AFTER = "0022", "0023"
TOWN = "(select id from town limit 1)"
BOOK = f"""
insert into sponsor (town_id, id, name, name_fold, kind, wish, created_at)
    values ({TOWN}, 'a0000000-0000-4000-8000-000000000001', 'Đá Xanh', 'da xanh', 'company', '{{}}', now());
insert into pledge (town_id, id, sponsor_id, amount, code, pledged_on, state, recorded_at)
    select {TOWN}, id::uuid, 'a0000000-0000-4000-8000-000000000001', amount, code, '2019-02-01', state, '2019-02-01'
    from (values ('b0000000-0000-4000-8000-000000000001', 1000, 'BSX1', 'open'),
        ('b0000000-0000-4000-8000-000000000002', 500, 'BSX2', 'ended'),
        ('b0000000-0000-4000-8000-000000000003', 300, 'BSX3', 'open')) p(id, amount, code, state);
insert into ledger_account (town_id, id, kind, sponsor_id, balance)
    select {TOWN}, id::uuid, kind, 'a0000000-0000-4000-8000-000000000001', 0
    from (values ('c0000000-0000-4000-8000-000000000001', 'outside'),
        ('c0000000-0000-4000-8000-000000000002', 'available'),
        ('c0000000-0000-4000-8000-000000000003', 'reserved'),
        ('c0000000-0000-4000-8000-000000000004', 'insurance_fund')) a(id, kind);
insert into posting (town_id, id, movement, posted_on, memo, recorded_at)
    select {TOWN}, id::uuid, movement, '2019-03-01', 'x', '2019-03-01'
    from (values ('d0000000-0000-4000-8000-000000000001', 'received'), ('d0000000-0000-4000-8000-000000000002', 'received'),
        ('d0000000-0000-4000-8000-000000000003', 'received'), ('d0000000-0000-4000-8000-000000000004', 'reserved'),
        ('d0000000-0000-4000-8000-000000000005', 'reserved')) p(id, movement);
insert into posting (town_id, id, movement, posted_on, memo, recorded_at, reverses_id)
    values ({TOWN}, 'd0000000-0000-4000-8000-000000000006', 'released', '2019-03-02', 'x', '2019-03-02',
        'd0000000-0000-4000-8000-000000000005');
insert into ledger_entry (town_id, id, posting_id, ledger_account_id, amount)
    select {TOWN}, gen_random_uuid(), ('d0000000-0000-4000-8000-00000000000' || posting)::uuid,
        ('c0000000-0000-4000-8000-00000000000' || account)::uuid, amount
    from (values (1, 1, -700), (1, 2, 700), (2, 1, -600), (2, 2, 600), (3, 1, -200), (3, 2, 200),
        (4, 2, -100), (4, 3, 100), (5, 2, -50), (5, 3, 50), (6, 3, -50), (6, 2, 50)) e(posting, account, amount);
insert into receipt (town_id, id, sponsor_id, pledge_id, posting_id, amount, received_on, reference, recorded_at)
    select {TOWN}, gen_random_uuid(), 'a0000000-0000-4000-8000-000000000001',
        ('b0000000-0000-4000-8000-00000000000' || pledge)::uuid, ('d0000000-0000-4000-8000-00000000000' || posting)::uuid,
        amount, '2019-03-01', 'FT' || posting, '2019-03-01'
    from (values (1, 1, 700), (1, 2, 600), (2, 3, 200)) r(pledge, posting, amount);
insert into prospect (town_id, id, full_name, name_fold, name_key, place_id, created_at, updated_at, stage, version)
    select {TOWN}, 'e0000000-0000-4000-8000-000000000001', 'Lê Thị Nghèo', 'le thi ngheo', 'ngheo', id, now(), now(),
        'agreed', 1 from place limit 1;
insert into allocation (town_id, id, sponsor_id, prospect_id, posting_id, start_month, months, amount, released_at,
        recorded_at)
    select {TOWN}, id::uuid, 'a0000000-0000-4000-8000-000000000001', 'e0000000-0000-4000-8000-000000000001',
        ('d0000000-0000-4000-8000-00000000000' || posting)::uuid, '2019-04-01', 3, amount, back, '2019-03-01'
    from (values ('f0000000-0000-4000-8000-000000000001', 4, 100, null::timestamptz),
        ('f0000000-0000-4000-8000-000000000002', 5, 50, '2019-03-02')) a(id, posting, amount, back);
"""
"""A sponsor with three promises, two of which brought money, and two allocations of which one was given back."""


@pytest.fixture
def elsewhere(settings: Settings) -> Iterator[Flask]:
    def of(url: str) -> str:
        return make_url(url).set(database="carried_over").render_as_string(hide_password=False)

    with plain_engine(settings.migrate_database_url).connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text("drop database if exists carried_over"))
        connection.execute(text("create database carried_over"))
    app = create_app(
        Settings(
            database_url=of(settings.database_url),
            migrate_database_url=of(settings.migrate_database_url),
            redis_url=settings.redis_url,
        )
    )
    with app.app_context():
        yield app


def rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(text(query))]


BALANCES = "select kind, sum(balance)::int from ledger_account group by kind order by kind"
OLD = [("available", 1400), ("insurance_fund", 0), ("outside", -1500), ("reserved", 100)]


def test_old_books_are_carried_over_and_back(elsewhere: Flask) -> None:
    upgrade(revision=BEFORE)
    engine = plain_engine(elsewhere.config["MIGRATE_DATABASE_URL"])
    with engine.begin() as connection:
        connection.exec_driver_sql(BOOK)
        assert rows(connection, BALANCES) == OLD
    for _ in range(2):
        upgrade(revision=AFTER)
        with engine.begin() as connection:
            assert dict(rows(connection, BALANCES)) == dict(OLD) | {"expected": 300, "promise": -300}
            assert rows(
                connection, "select balance::int from ledger_account where kind = 'expected' order by pledge_id"
            ) == [
                (0,),
                (0,),
                (300,),
            ]
            assert rows(
                connection,
                "select month::text, amount::int, released_at is null from allocation_month order by 3 desc, 1",
            ) == [
                ("2019-04-01", 34, True),
                ("2019-05-01", 33, True),
                ("2019-06-01", 33, True),
                ("2019-04-01", 17, False),
                ("2019-05-01", 17, False),
                ("2019-06-01", 16, False),
            ]
            assert rows(connection, "select carried_months::int, carried_amount::int from allocation order by id") == [
                (3, 100),
                (0, 0),
            ]
            assert rows(connection, "select sum(amount)::int, count(distinct posting_id)::int from ledger_entry") == [
                (0, 10)
            ]
        downgrade(revision=BEFORE)
        with engine.begin() as connection:
            assert rows(connection, BALANCES) == OLD
            assert rows(connection, "select count(*)::int from ledger_entry") == [(12,)]
            assert rows(connection, "select months::int, amount::int from allocation order by id") == [
                (3, 100),
                (3, 50),
            ]
