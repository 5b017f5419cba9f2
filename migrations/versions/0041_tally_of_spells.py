"""How the stock of participants moved is kept summed, in the transaction that moved it: `participation_tally`.

Rows are only ever added by triggers (one more, one fewer), so no two acts wait for each other; once a night they are folded
into one row a month, place, organisation and ground. `spell_movement` says the same spell by spell, for counting again.

Revision ID: 0041
Revises: 0040
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

GROUNDS = ("poor", "island", "near_poor", "ethnic_minority", "other")

GROUND = """
    coalesce((
        select g.ground from (
            select t.ground from standing t
            where t.town_id = s.town_id and t.prospect_id = s.prospect_id
                and t.valid_from <= s.started_on and (t.valid_to is null or t.valid_to > s.started_on)
            union all
            select 'island' from place where place.town_id = s.town_id and place.id = s.place_id and place.special) g
        order by array_position(array['poor', 'island', 'near_poor', 'ethnic_minority', 'other'], g.ground::text)
        limit 1), 'other')
"""

SET_GROUND = f"""
create function set_ground_of_spell() returns trigger language plpgsql as $$
begin
    select {GROUND} into new.ground from (select new.*) s;
    return new;
end $$
"""
"""A spell keeps the strongest ground of the day it began: what is recorded later does not move what was counted."""

BEGAN = """
    select {sign} as sign, s.town_id, s.prospect_id, s.started_on as day, s.place_id, p.neighbourhood_id,
        s.organisation_id, s.ground, (s.started_as <> 'returned')::int as joined, (s.started_as = 'returned')::int as returned,
        0 as lapsed, 0 as stopped
    from {spells} s join prospect p on p.town_id = s.town_id and p.id = s.prospect_id
    where s.withdrawn_at is null
"""
ENDED = """
    select {sign} as sign, s.town_id, s.prospect_id, s.ended_on as day, s.place_id, p.neighbourhood_id,
        s.organisation_id, s.ground, 0 as joined, 0 as returned,
        (s.ended_as = 'lapsed')::int as lapsed, (s.ended_as <> 'lapsed')::int as stopped
    from {spells} s join prospect p on p.town_id = s.town_id and p.id = s.prospect_id
    where s.withdrawn_at is null and s.ended_on is not null
"""


def moves(spells: str, sign: int) -> str:
    """Each beginning and each end of these spells, to be added (1) or taken away (-1)."""
    return " union all ".join(part.format(spells=spells, sign=sign) for part in (BEGAN, ENDED))


def summed(moved: str) -> str:
    """Moves as rows of the tally."""
    return f"""
        insert into participation_tally
            (town_id, id, month, place_id, neighbourhood_id, organisation_id, ground, joined, returned, lapsed, stopped)
        select town_id, gen_random_uuid(), date_trunc('month', day)::date, place_id, neighbourhood_id, organisation_id,
            ground, sum(sign * joined), sum(sign * returned), sum(sign * lapsed), sum(sign * stopped)
        from ({moved}) moved
        group by town_id, date_trunc('month', day), place_id, neighbourhood_id, organisation_id, ground
        having sum(sign * joined) <> 0 or sum(sign * returned) <> 0 or sum(sign * lapsed) <> 0
            or sum(sign * stopped) <> 0;
    """


TALLY_SPELLS = f"""
create function tally_spells() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        {summed(moves("new_rows", 1))}
    elsif tg_op = 'DELETE' then
        {summed(moves("old_rows", -1))}
    else
        {summed(moves("old_rows", -1) + " union all " + moves("new_rows", 1))}
    end if;
    return null;
end $$
"""

TALLY_OTHER_NEIGHBOURHOOD = f"""
create function tally_other_neighbourhood() returns trigger language plpgsql as $$
begin
    {
    summed(
        f'''
        select sign * w.factor as sign, town_id, day, place_id, w.neighbourhood_id, organisation_id, ground, joined, returned,
            lapsed, stopped
        from ({moves("participation", 1)}) one
        cross join (values (-1, old.neighbourhood_id), (1, new.neighbourhood_id)) as w(factor, neighbourhood_id)
        where one.town_id = new.town_id and one.prospect_id = new.id
        '''
    )
}
    return null;
end $$
"""

TRIGGERS = (
    "create trigger spell_has_a_ground before insert on participation "
    "for each row when (new.ground is null) execute function set_ground_of_spell()",
    "create trigger spells_added_are_tallied after insert on participation "
    "referencing new table as new_rows for each statement execute function tally_spells()",
    "create trigger spells_changed_are_tallied after update on participation "
    "referencing old table as old_rows new table as new_rows for each statement execute function tally_spells()",
    "create trigger spells_gone_are_tallied after delete on participation "
    "referencing old table as old_rows for each statement execute function tally_spells()",
    "create trigger other_neighbourhood_is_tallied after update of neighbourhood_id on prospect for each row "
    "when (old.neighbourhood_id is distinct from new.neighbourhood_id) execute function tally_other_neighbourhood()",
)


def upgrade() -> None:
    op.create_table(
        "participation_tally",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("neighbourhood_id", sa.Uuid(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("ground", _ground(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("joined", "returned", "lapsed", "stopped")),
        sa.CheckConstraint("extract(day from month) = 1", name=op.f("ck_participation_tally_month")),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_participation_tally_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_participation_tally")),
    )
    op.create_index(op.f("ix_participation_tally_town_id_month"), "participation_tally", ["town_id", "month"])
    op.add_column("participation", sa.Column("ground", _ground(), nullable=True))
    op.execute("alter table participation disable trigger user")
    op.execute(
        f"update participation set ground = found.ground from (select s.town_id, s.id, {GROUND} as ground "
        "from participation s) found where found.town_id = participation.town_id and found.id = participation.id"
    )
    op.execute("alter table participation enable trigger user")
    op.alter_column("participation", "ground", nullable=False)
    op.execute(f"create view spell_movement as {moves('participation', 1)}")
    op.execute(summed("select * from spell_movement"))
    op.execute(SET_GROUND)
    op.execute(TALLY_SPELLS)
    op.execute(TALLY_OTHER_NEIGHBOURHOOD)
    for trigger in TRIGGERS:
        op.execute(trigger)


def downgrade() -> None:
    op.execute("drop trigger other_neighbourhood_is_tallied on prospect")
    for name in (
        "spell_has_a_ground",
        "spells_added_are_tallied",
        "spells_changed_are_tallied",
        "spells_gone_are_tallied",
    ):
        op.execute(f"drop trigger {name} on participation")
    for name in ("set_ground_of_spell", "tally_spells", "tally_other_neighbourhood"):
        op.execute(f"drop function {name}()")
    op.execute("drop view spell_movement")
    op.drop_column("participation", "ground")
    op.drop_table("participation_tally")


def _ground() -> sa.Enum:
    return sa.Enum(*GROUNDS, name="ground", native_enum=False, create_constraint=True, length=40)
