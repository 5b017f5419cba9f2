"""The look through the whole register: by one worker at a time, beside people who answer, and when many came."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.db import db, transaction
from crm.prospects.identity.queries import pairs
from crm.prospects.identity.scanning import Pair
from crm.prospects.merging.models import Suspect
from crm.prospects.merging.rules import Answer, Source
from crm.prospects.merging.services import reviewing
from crm.prospects.merging.services.joining import merge
from crm.prospects.merging.services.reviewing import MANY, is_due, keep, look_through
from crm.prospects.models import Prospect
from tasks.identity import look_where_many_came
from tests.factories import Make


def twice(make: Make, name: str, year: int) -> tuple[Prospect, Prospect]:
    phone = make.phone()
    return make.prospect(name, birth_year=year, phone=phone), make.prospect(name, birth_year=year, phone=phone)


@pytest.mark.committed
def test_a_second_look_ends_at_once_while_the_first_goes_on(app: Flask, session: Session, make: Make) -> None:
    town_id = twice(make, "Cù Thị Xoan", 1970)[0].town_id
    session.commit()
    found: list[int | None] = []

    def second() -> None:
        with app.app_context(), transaction() as beside:
            found.append(look_through(beside, town_id, at=clock.now()))
            db.session.remove()

    assert look_through(session, town_id, at=clock.now()) == 1
    worker = threading.Thread(target=second)
    worker.start()
    worker.join(20)
    assert found == [None]
    session.commit()
    assert look_through(session, town_id, at=clock.now()) == 1


@pytest.mark.committed
def test_two_who_keep_the_same_pairs_do_not_wait_for_each_other_in_a_circle(
    app: Flask, session: Session, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviewing, "AT_ONCE", 1)
    town_id = twice(make, "Cù Thị Xoan", 1970)[0].town_id
    twice(make, "Lưu Văn Khoát", 1966)
    session.commit()
    first, second = pairs(session, town_id)
    session.rollback()
    both_began, failed = threading.Barrier(2), list[Exception]()

    def coming(some: Sequence[Pair]) -> Iterator[Pair]:
        yield some[0]
        both_began.wait(10)
        yield some[1]

    def work(some: Sequence[Pair], source: Source) -> None:
        with app.app_context():
            try:
                with transaction() as own:
                    keep(own, town_id, coming(some), source, at=clock.now())
            except Exception as refusal:
                failed.append(refusal)
            finally:
                db.session.remove()

    orders = ((first, second), Source.SCAN), ((second, first), Source.LIST)
    workers = [threading.Thread(target=work, args=order) for order in orders]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    assert failed == []
    assert session.scalar(select(func.count()).select_from(Suspect)) == 2


def test_a_pair_that_was_merged_while_the_look_went_on_is_not_asked_about_again(session: Session, make: Make) -> None:
    one, other = twice(make, "Cù Thị Xoan", 1970)
    seen_before = list(pairs(session, one.town_id))
    look_through(session, one.town_id, at=clock.now())
    merge(session, one, other, None, by=make.user(Role.MANAGER), at=clock.now())
    keep(session, one.town_id, seen_before, Source.SCAN, at=clock.now())
    assert session.scalars(select(Suspect.answer).execution_options(populate_existing=True)).all() == [Answer.MERGED]


def test_many_who_came_one_by_one_are_looked_through_before_the_night(session: Session, make: Make) -> None:
    one, _other = twice(make, "Cù Thị Xoan", 1970)
    before = clock.now() - timedelta(minutes=10)
    assert not is_due(session, one.town_id)
    look_through(session, one.town_id, at=before)
    known: dict[str, Any] = {"birth_year": 1966, "phone": make.phone()}
    for _ in range(MANY - 4):
        make.prospect(created_at=before + timedelta(minutes=5), updated_at=before + timedelta(minutes=5))
    make.prospect("Lưu Văn Khoát", **known)
    session.flush()
    due_already = is_due(session, one.town_id)
    make.prospect("Lưu Văn Khoát", **known)
    session.flush()
    assert (due_already, is_due(session, one.town_id)) == (False, True)
    look_where_many_came.run()
    assert not is_due(session, one.town_id)
    names = select(Prospect.full_name).join(Suspect, Suspect.one_id == Prospect.id)
    assert set(session.scalars(names)) >= {"Cù Thị Xoan", "Lưu Văn Khoát"}
