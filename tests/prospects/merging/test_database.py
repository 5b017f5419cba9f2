"""What the database itself allows: rows change their person through a merge, and in no other way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.db import Model, plain_engine
from crm.prospects.merging.models import Merge
from crm.prospects.merging.rules import GROUPS, KEPT_IN_LAYERS, OWN
from crm.prospects.merging.services.joining import merge
from crm.prospects.models import Prospect, StageChange
from crm.prospects.rules import Ground, Stage
from tests.factories import Make


def pointing() -> set[tuple[str, str]]:
    """The tables and columns of the models that hold somebody's id."""
    return {
        (table.name, element.parent.name)
        for table in Model.metadata.sorted_tables
        for key in table.foreign_key_constraints
        if key.referred_table.name == "prospect"
        for element in key.elements
        if element.column.name == "id"
    }


def test_every_table_that_points_to_people_is_moved(session: Session) -> None:
    found = {(row[0], row[1]) for row in session.execute(text("select table_name, column_name from people_columns()"))}
    assert found == {one for one in pointing() if one[0] not in ("prospect", "merge")}


def test_every_column_of_a_person_is_chosen_derived_or_their_own() -> None:
    written = {column.name for column in Prospect.__table__.columns if column.computed is None}
    assert written == {*KEPT_IN_LAYERS, *OWN}
    assert len(KEPT_IN_LAYERS) == len(set(KEPT_IN_LAYERS))
    assert {column for columns in GROUPS.values() for column in columns} <= set(KEPT_IN_LAYERS)


def refused(session: Session, statement: str, **values: object) -> str:
    """What the database says to it, as the program's own role."""
    with pytest.raises(DBAPIError) as refusal, session.begin_nested():
        session.execute(text(statement), values)
    return str(refusal.value.orig)


def step_of(session: Session, make: Make, person: Prospect) -> StageChange:
    row: StageChange = make.add(
        StageChange(town_id=person.town_id, prospect_id=person.id, to_stage=Stage.NEW, at=clock.now())
    )
    return row


def test_the_program_cannot_move_history_by_itself(session: Session, make: Make) -> None:
    one, other = make.prospect(), make.prospect()
    step = step_of(session, make, one)
    move = "update stage_change set prospect_id = :other where id = :id"
    assert "permission denied" in refused(session, move, other=other.id, id=step.id)
    session.execute(text("select set_config('ansinh.moving', :m, true)"), {"m": f"prospect_id {one.id} {other.id}"})
    assert "permission denied" in refused(session, move, other=other.id, id=step.id)
    moved = "select move_rows(:town, 'stage_change', 'prospect_id', array['id'], :one, :other, null, false)"
    assert "permission denied" in refused(session, moved, town=one.town_id, one=one.id, other=other.id)
    write = "insert into merged_row values (:town, 'stage_change', 'prospect_id', 'x', :one, 1)"
    assert "permission denied" in refused(session, write, town=one.town_id, one=one.id)
    assert "permission denied" in refused(session, "delete from merged_row")
    assert "permission denied" in refused(session, "delete from merge")
    assert "permission denied" in refused(session, "update merge set kept_id = gone_id")


def test_the_functions_move_nothing_without_a_merge(session: Session, make: Make) -> None:
    one, other = make.prospect(), make.prospect()
    step = step_of(session, make, one)
    other.merged_into_id = one.id
    session.flush()
    stray = step_of(session, make, other)
    gather = "select gather_rows(:town, :top, :number, array[]::text[])"
    assert "no merge of this number" in refused(session, gather, town=one.town_id, top=one.id, number=10**9)
    assert "stands by itself" in refused(session, gather, town=one.town_id, top=other.id, number=None)
    session.execute(text(gather), {"town": one.town_id, "top": one.id, "number": None})
    session.expire_all()
    assert (step.prospect_id, stray.prospect_id) == (one.id, other.id)
    set_origin = text("select set_origin(:town, 'stage_change', 'prospect_id', '{}', :one, :other)")
    assert session.scalar(set_origin, {"town": one.town_id, "one": one.id, "other": other.id}) is False


def test_a_merge_in_force_is_not_given_back_by_hand(session: Session, make: Make) -> None:
    one, other = make.prospect(), make.prospect()
    row = merge(session, one, other, None, by=make.user(Role.MANAGER), at=clock.now())
    asked = "select return_rows(:town, :id)"
    assert "taken back" in refused(session, asked, town=row.town_id, id=row.id)


@pytest.fixture
def owner(app: Flask, session: Session) -> Iterator[Connection]:
    """The owner of the tables, as migrations are; undone at the end."""
    with plain_engine(app.config["MIGRATE_DATABASE_URL"]).connect() as connection:
        yield connection
        connection.rollback()


@pytest.mark.committed
def test_even_the_owner_changes_only_the_person_and_only_as_announced(
    session: Session, make: Make, owner: Connection
) -> None:
    one, other = make.prospect(), make.prospect()
    step = step_of(session, make, one)
    town, step_id, first, second = one.town_id, step.id, one.id, other.id
    session.commit()

    def says(change: str, announced: str) -> str:
        with pytest.raises(DBAPIError) as refusal, owner.begin_nested():
            owner.execute(text("select set_config('ansinh.moving', :m, true)"), {"m": announced})
            owner.execute(
                text(f"update stage_change set {change} where town_id = :town and id = :id"),
                {"town": town, "id": step_id},
            )
        return str(refusal.value.orig)

    there = f"prospect_id {first} {second}"
    assert "append-only" in says(f"prospect_id = '{second}'", "")
    assert "append-only" in says(f"prospect_id = '{second}', to_stage = 'joined'", there)
    assert "append-only" in says(f"prospect_id = '{second}'", f"prospect_id {second} {first}")
    assert "append-only" in says("to_stage = 'joined'", there)
    with pytest.raises(DBAPIError, match="append-only"), owner.begin_nested():
        owner.execute(text("delete from stage_change"))


def test_sealed_columns_come_back_byte_for_byte(session: Session, make: Make) -> None:
    number: dict[str, Any] = {"citizen_id": "038170000001", "citizen_index": b"i", "citizen_masked": "038***001"}
    one, other = make.prospect(), make.prospect("Lê Thị Hai", **number)
    make.standing(other, Ground.POOR, date(2019, 1, 1))
    query = text("select citizen_id from prospect where id = :id")
    sealed = session.scalar(query, {"id": other.id})
    merge(session, one, other, ["citizen_id"], by=make.user(Role.MANAGER), at=clock.now())
    assert session.scalar(query, {"id": one.id}) == sealed
    assert one.citizen_id == "038170000001"
    assert "038170000001" not in str(session.execute(text("select before, after from merge")).all())
    assert session.query(Merge).one().taken == ["citizen_id"]
