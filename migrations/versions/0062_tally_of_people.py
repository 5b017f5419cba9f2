"""How many people stand at each stage is kept summed, in the transaction that moves them: `people_tally`.

Rows are only ever added by triggers (one more, one fewer), so no two acts wait for each other; once a night they are folded
into one row a stage, place, organisation and volunteer. `people_standing` says the same from the register, for counting again.

Revision ID: 0062
Revises: 0061
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.parts import of_the_town, one_of

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None

STAGES = ("new", "unreached", "refused", "considering", "interested", "agreed", "joined", "lapsed", "not_eligible")
COLUMNS = ("place_id", "neighbourhood_id", "organisation_id", "volunteer_id", "stage")
KEY = ", ".join(("town_id", *COLUMNS))


def counted(people: str, sign: str = "") -> str:
    """These rows of the register as rows of the tally."""
    return f"""
        insert into people_tally ({KEY}, id, people)
        select {KEY}, gen_random_uuid(), {sign}count(*) from {people} where merged_into_id is null group by {KEY};
    """


TALLY_PEOPLE = f"""
create function tally_people() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        {counted("new_rows")}
    else
        {counted("old_rows", "-")}
    end if;
    return null;
end $$
"""

TALLY_MOVED = f"""
create function tally_person_moved() returns trigger language plpgsql as $$
begin
    insert into people_tally ({KEY}, id, people)
    select {KEY}, gen_random_uuid(), people
    from (select old.*, -1 as people union all select new.*, 1) moved
    where merged_into_id is null;
    return null;
end $$
"""


def told_by(row: str) -> str:
    return ", ".join([f"{row}.{name}" for name in COLUMNS] + [f"{row}.merged_into_id is null"])


TRIGGERS = (
    "create trigger people_added_are_tallied after insert on prospect "
    "referencing new table as new_rows for each statement execute function tally_people()",
    "create trigger people_gone_are_tallied after delete on prospect "
    "referencing old table as old_rows for each statement execute function tally_people()",
    "create trigger people_moved_are_tallied after update on prospect for each row "
    f"when (({told_by('old')}) is distinct from ({told_by('new')})) execute function tally_person_moved()",
)


def upgrade() -> None:
    op.create_table(
        "people_tally",
        *of_the_town("people_tally"),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        *(
            sa.Column(name, sa.Uuid(), nullable=True)
            for name in ("neighbourhood_id", "organisation_id", "volunteer_id")
        ),
        sa.Column("stage", one_of("stage", *STAGES), nullable=False),
        sa.Column("people", sa.BigInteger(), nullable=False),
    )
    op.execute(
        f"create view people_standing as select {KEY}, count(*) as people from prospect "
        f"where merged_into_id is null group by {KEY}"
    )
    op.execute(counted("prospect"))
    op.execute(TALLY_PEOPLE)
    op.execute(TALLY_MOVED)
    for trigger in TRIGGERS:
        op.execute(trigger)


def downgrade() -> None:
    for name in ("people_added_are_tallied", "people_gone_are_tallied", "people_moved_are_tallied"):
        op.execute(f"drop trigger {name} on prospect")
    op.execute("drop function tally_people()")
    op.execute("drop function tally_person_moved()")
    op.execute("drop view people_standing")
    op.drop_table("people_tally")
