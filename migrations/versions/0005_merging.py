"""Suspected duplicates, merges and what they moved.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

PEOPLE_COLUMNS = """
create function people_columns() returns table (table_name text, column_name text, row_keys text[])
language sql stable set search_path = public, pg_temp as $$
    select t.relname::text, a.attname::text, array(
        select k.attname::text from pg_attribute k
        where k.attrelid = t.oid and k.attnum > 0 and not k.attisdropped
            and k.attname not in ('town_id', a.attname)
            and (k.attnum = any(p.conkey) or (a.attnum = any(p.conkey) and exists (
                select from pg_constraint o
                where o.conrelid = t.oid and o.contype = 'f' and k.attnum = any(o.conkey))))
        order by k.attname)
    from pg_constraint f
    join pg_class t on t.oid = f.conrelid
    join pg_constraint p on p.conrelid = t.oid and p.contype = 'p'
    cross join lateral unnest(f.conkey, f.confkey) as pair(here, there)
    join pg_attribute r on r.attrelid = f.confrelid and r.attnum = pair.there and r.attname = 'id'
    join pg_attribute a on a.attrelid = t.oid and a.attnum = pair.here
    where f.contype = 'f' and f.confrelid = 'prospect'::regclass and t.relname not in ('prospect', 'merge')
    order by t.relname, a.attname
$$
"""
"""Where people's rows are: read from the foreign keys there are, so that a table added later is moved too.

A row is named by the other columns of its primary key; where the person is part of that key, what it points to is
named as well, for a month that was paid anew by another payment is another row.
"""

PERSON_TREE = """
create function person_tree(p_town uuid, p_top uuid) returns table (person uuid, depth int)
language sql stable set search_path = public, pg_temp as $$
    with recursive tree(person, depth) as (
        select p_top, 0
        union all
        select m.gone_id, tree.depth + 1 from tree
        join merge m on m.town_id = p_town and m.kept_id = tree.person and m.undone_at is null
        join prospect p on p.town_id = p_town and p.id = m.gone_id and p.merged_into_id = m.kept_id
    )
    select person, depth from tree order by depth, person
$$
"""
"""A record and everybody who became part of it, joined by merges in force."""

MOVE_ROWS = """
create function move_rows(
    p_town uuid, p_table text, p_column text, p_keys text[], p_from uuid, p_to uuid, p_named text[], p_firm boolean
) returns text[] language plpgsql set search_path = public, pg_temp as $$
declare
    key_of text;
    named text;
    statement text;
    stayed text[] := '{}';
begin
    select 'jsonb_build_object(' || coalesce(string_agg(format('%L, t.%I', k, k), ', ' order by k), '') || ')::text'
        into key_of from unnest(p_keys) k;
    statement := format(
        'update %I t set %I = $3 where t.town_id = $1 and t.%I = $2 and ($4 is null or %s = any($4))',
        p_table, p_column, p_column, key_of);
    perform set_config('ansinh.moving', format('%s %s %s', p_column, p_from, p_to), true);
    begin
        execute statement using p_town, p_from, p_to, p_named;
        perform set_config('ansinh.moving', '', true);
        return stayed;
    exception when unique_violation or exclusion_violation then
        if p_firm then
            raise;
        end if;
    end;
    -- One of them would collide: each by itself, and what collides stays where it is.
    perform set_config('ansinh.moving', format('%s %s %s', p_column, p_from, p_to), true);
    for named in execute format(
        'select %s from %I t where t.town_id = $1 and t.%I = $2 and ($3 is null or %s = any($3)) order by 1',
        key_of, p_table, p_column, key_of) using p_town, p_from, p_named
    loop
        begin
            execute statement using p_town, p_from, p_to, array[named];
        exception when unique_violation or exclusion_violation then
            stayed := stayed || named;
            perform set_config('ansinh.moving', format('%s %s %s', p_column, p_from, p_to), true);
        end;
    end loop;
    perform set_config('ansinh.moving', '', true);
    return stayed;
end $$
"""
"""Rows of one column change their person, and nothing else of them; says which stayed, for they would collide."""

GATHER_ROWS = """
create function gather_rows(p_town uuid, p_top uuid, p_merge bigint, p_firm text[]) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    place record;
    part record;
    key_of text;
begin
    perform from prospect where town_id = p_town and id = p_top and merged_into_id is null;
    if not found then
        raise exception 'rows are gathered only at a record that stands by itself' using errcode = 'restrict_violation';
    end if;
    if p_merge is not null and not exists (
        select from merge where town_id = p_town and number = p_merge and kept_id = p_top and undone_at is null) then
        raise exception 'no merge of this number is in force here' using errcode = 'restrict_violation';
    end if;
    for place in select * from people_columns() loop
        select 'jsonb_build_object(' || coalesce(string_agg(format('%L, t.%I', k, k), ', ' order by k), '') || ')::text'
            into key_of from unnest(place.row_keys) k;
        for part in select * from person_tree(p_town, p_top) loop
            continue when part.depth = 0 and p_merge is null;
            execute format(
                'insert into merged_row (town_id, table_name, column_name, row_key, origin_id, since) '
                'select $1, $2, $3, %s, $4, coalesce($5, nextval(pg_get_serial_sequence(''merge'', ''number''))) '
                'from %I t where t.town_id = $1 and t.%I = $4 on conflict do nothing',
                key_of, place.table_name, place.column_name)
                using p_town, place.table_name, place.column_name, part.person, p_merge;
            continue when part.depth = 0;
            perform move_rows(
                p_town, place.table_name, place.column_name, place.row_keys, part.person, p_top, null,
                place.table_name = any(p_firm));
        end loop;
    end loop;
end $$
"""
"""Everything of those who became part of a record goes there; whose it was is remembered the first time it is met.

Of a table named in `p_firm` nothing may stay behind: a collision there ends the transaction.
"""

RETURN_ROWS = """
create function return_rows(p_town uuid, p_merge uuid) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    ended merge%rowtype;
    place record;
    home record;
    stayed text[];
    named text[];
begin
    select * into ended from merge where town_id = p_town and id = p_merge and undone_at is not null;
    if not found or exists (
        select from prospect where town_id = p_town and id in (ended.kept_id, ended.gone_id)
            and merged_into_id is not null) then
        raise exception 'rows are given back only by a merge that was taken back' using errcode = 'restrict_violation';
    end if;
    for place in select * from people_columns() loop
        for home in select * from person_tree(p_town, ended.gone_id) loop
            select array_agg(row_key) into named from merged_row
                where town_id = p_town and table_name = place.table_name and column_name = place.column_name
                    and origin_id = home.person;
            continue when named is null;
            stayed := move_rows(
                p_town, place.table_name, place.column_name, place.row_keys, ended.kept_id, ended.gone_id, named, false);
            if home.depth > 0 and stayed <> '{}' then
                perform move_rows(
                    p_town, place.table_name, place.column_name, place.row_keys, ended.kept_id, home.person, stayed,
                    false);
            end if;
        end loop;
    end loop;
    delete from merged_row r
        where r.town_id = p_town and r.origin_id in (ended.kept_id, ended.gone_id)
            and not exists (select from merge m
                where m.town_id = p_town and m.kept_id = r.origin_id and m.undone_at is null);
end $$
"""
"""What came from a record, and from those who were part of it before, goes back to it."""

SET_ORIGIN = """
create function set_origin(p_town uuid, p_table text, p_column text, p_key text, p_holder uuid, p_origin uuid)
returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if not exists (select from people_columns() where table_name = p_table and column_name = p_column)
        or not exists (select from person_tree(p_town, p_holder) where person = p_origin) then
        return false;
    end if;
    insert into merged_row (town_id, table_name, column_name, row_key, origin_id, since)
        values (p_town, p_table, p_column, p_key, p_origin, nextval(pg_get_serial_sequence('merge', 'number')))
        on conflict (town_id, table_name, column_name, row_key) do update set origin_id = excluded.origin_id;
    return true;
end $$
"""
"""A row belongs to one of those who became part of its holder: it came in under that id, or somebody decided so."""

REFUSE_REWRITING = """
create or replace function refuse_rewriting() returns trigger language plpgsql as $$
declare
    moving text[] := string_to_array(nullif(current_setting('ansinh.moving', true), ''), ' ');
begin
    if tg_op = 'UPDATE' and moving is not null
        and current_user = (select pg_get_userbyid(relowner) from pg_class where oid = tg_relid)
        and to_jsonb(old) ->> moving[1] = moving[2] and to_jsonb(new) ->> moving[1] = moving[3]
        and to_jsonb(old) - moving[1] = to_jsonb(new) - moving[1] then
        return new;
    end if;
    raise exception '% is append-only: add a row that corrects it', tg_table_name
        using errcode = 'restrict_violation';
end $$
"""
"""As before, but a row may change its person inside the functions above: they run as the owner of the tables, whom the
program's own role can neither be nor become; the marker alone, which anybody can set, opens nothing."""

REFUSE_REWRITING_BEFORE = """
create or replace function refuse_rewriting() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: add a row that corrects it', tg_table_name
        using errcode = 'restrict_violation';
end $$
"""


def upgrade() -> None:
    op.create_table(
        "merge",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kept_id", sa.Uuid(), nullable=False),
        sa.Column("gone_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("taken", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("before", sa.LargeBinary(), nullable=False),
        sa.Column("after", sa.LargeBinary(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("kept_id <> gone_id", name=op.f("ck_merge_two_records")),
        sa.CheckConstraint(
            "(undone_at is null) or (undone_by_id is not null)", name=op.f("ck_merge_undone_by_somebody")
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_merge_town_id")),
        *(
            sa.ForeignKeyConstraint(
                ["town_id", column], [f"{table}.town_id", f"{table}.id"], name=op.f(f"fk_merge_town_id_{column}")
            )
            for column, table in (
                ("kept_id", "prospect"),
                ("gone_id", "prospect"),
                ("by_id", "account"),
                ("undone_by_id", "account"),
            )
        ),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_merge")),
        sa.UniqueConstraint("number", name=op.f("uq_merge_number")),
    )
    op.create_index(
        "uq_merge_in_force", "merge", ["town_id", "gone_id"], unique=True, postgresql_where=sa.text("undone_at is null")
    )
    op.create_index(op.f("ix_merge_town_id_kept_id"), "merge", ["town_id", "kept_id"])
    op.create_table(
        "merged_row",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("column_name", sa.Text(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("origin_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_merged_row_town_id")),
        sa.PrimaryKeyConstraint("town_id", "table_name", "column_name", "row_key", name=op.f("pk_merged_row")),
    )
    op.create_index(op.f("ix_merged_row_town_id_origin_id"), "merged_row", ["town_id", "origin_id"])
    op.create_table(
        "suspect",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("one_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.Column("score", sa.BigInteger(), nullable=False),
        sa.Column("evidence", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column(
            "source",
            sa.Enum("scan", "list", name="source", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("numbers", sa.LargeBinary(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "answer",
            sa.Enum(
                "open",
                "different",
                "later",
                "merged",
                name="answer",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("one_id < other_id", name=op.f("ck_suspect_order")),
        sa.CheckConstraint("score between 0 and 100", name=op.f("ck_suspect_score")),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_suspect_town_id")),
        sa.ForeignKeyConstraint(
            ["town_id", "answered_by_id"],
            ["account.town_id", "account.id"],
            name=op.f("fk_suspect_town_id_answered_by_id"),
        ),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_suspect")),
        sa.UniqueConstraint("town_id", "one_id", "other_id", name=op.f("uq_suspect_town_id_one_id_other_id")),
    )
    op.create_index(op.f("ix_suspect_town_id_answer_score"), "suspect", ["town_id", "answer", "score"])
    op.create_index(op.f("ix_suspect_town_id_other_id"), "suspect", ["town_id", "other_id"])
    for function in (PEOPLE_COLUMNS, PERSON_TREE, MOVE_ROWS, GATHER_ROWS, RETURN_ROWS, SET_ORIGIN, REFUSE_REWRITING):
        op.execute(sa.DDL(function.replace("%", "%%")))
    op.execute("revoke execute on function move_rows from public")


def downgrade() -> None:
    op.execute(REFUSE_REWRITING_BEFORE)
    for function in ("set_origin", "return_rows", "gather_rows", "move_rows", "person_tree", "people_columns"):
        op.execute(f"drop function {function}")
    op.drop_table("suspect")
    op.drop_table("merged_row")
    op.drop_table("merge")
