"""A list D05-TS that was handed in keeps its rows, with what became of each; from when the citizen number is the code is law.

Rows of lists handed in before are written down as they stand today: of papers that had come back by then nothing was kept.

Revision ID: 0071
Revises: 0070
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4, uuid5

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from crm import sealed
from migrations.parts import law_keys, of_the_town, one_of

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None

CRM = Path(__file__).parents[2] / "crm"
LAW = CRM / "premiums" / "law-of-codes.json"
UNIT_CODES = CRM / "joining" / "unit-codes.json"
NAMESPACE = UUID("6f1f4a52-8a5e-4a53-9f0c-5f2f6f1f0071")
KEY = "citizen_number_is_code"
LAYERS = (
    "coalesce((declared ->> 'TienTudong')::bigint + (declared ->> 'TienHotro')::bigint "
    "+ (declared ->> 'TienNSDP')::bigint + (declared ->> 'TienHotroKhac')::bigint "
    "= (declared ->> 'Tongtien')::bigint, false)"
)
AS_HANDED_IN = ("town_id", "id", "list_id", "dossier_id", "number", "agent_id", "place_id", "declared", "code")

GONE = """
create function list_is_gathered() returns trigger language plpgsql as $$
begin
    if exists (
        select from dossier_list l where l.town_id = new.town_id and l.id = new.list_id and l.submitted_on is not null
    ) then
        raise exception 'this list was handed in: it takes no more rows' using errcode = 'restrict_violation';
    end if;
    return new;
end $$
"""

HANDED_IN = """
select d.town_id, d.id, d.list_id, l.submitted_on, d.agent_id, d.declared, d.email, d.accepted_on, d.state,
    p.full_name, p.insurance_number, p.citizen_id, p.phone, p.other_phone, p.birth_date, p.birth_year,
    p.address, p.place_id, p.neighbourhood_id, t.code as town
from dossier d
join dossier_list l on l.town_id = d.town_id and l.id = d.list_id and l.submitted_on is not null
join prospect p on p.town_id = d.town_id and p.id = d.prospect_id
join town t on t.id = d.town_id
where d.declared is not null
order by d.town_id, d.list_id, p.name_key, d.id
"""
GROUNDS = {
    "poor": "Hộ nghèo",
    "near_poor": "Hộ cận nghèo",
    "ethnic_minority": "Người dân tộc thiểu số",
    "island": "Sống ở xã đảo, đặc khu",
    "other": "Đối tượng khác",
}
KINDS = {"TM": "1", "DT": "2", "DB": "2", "DL": "2"}
DIGITS = 12
"""Of a citizen number that is a code."""


def upgrade() -> None:
    _law()
    _table()
    _carried_over()
    op.execute(GONE)
    for name, when in {
        "takes_no_more": "before insert on listed_dossier for each row execute function list_is_gathered()",
        "is_answered_once": "before update on listed_dossier for each row when (old.outcome <> 'waiting') "
        "execute function refuse_rewriting()",
        "stays": f"before update of {', '.join(AS_HANDED_IN)} on listed_dossier for each row "
        "execute function refuse_rewriting()",
        "is_not_deleted": "before delete on listed_dossier for each row execute function refuse_rewriting()",
    }.items():
        op.execute(f"create trigger listed_dossier_{name} {when}")
    op.execute(
        "create trigger dossier_list_is_handed_in_once before update on dossier_list for each row "
        "when (old.submitted_on is not null) execute function refuse_rewriting()"
    )


def downgrade() -> None:
    op.execute("drop trigger dossier_list_is_handed_in_once on dossier_list")
    op.drop_table("listed_dossier")
    op.execute("drop function list_is_gathered()")
    op.execute("alter table law_value disable trigger user")
    op.execute(f"delete from law_value where key = '{KEY}'")
    op.execute("alter table law_value enable trigger user")
    law_keys(lambda known: [key for key in known if key != KEY])


def _law() -> None:
    law_keys(lambda known: [*known, *({KEY} - set(known))])
    entries = [entry for entry in json.loads(LAW.read_text("utf-8")) if entry["key"] == KEY]
    op.bulk_insert(
        sa.table("law_value", *map(sa.column, ("id", *entries[0]))),
        [
            {
                **entry,
                "id": uuid5(NAMESPACE, f"{entry['key']} {entry['effective_from']}"),
                "value": Decimal(entry["value"]),
                "effective_from": date.fromisoformat(entry["effective_from"]),
            }
            for entry in entries
        ],
    )


def _table() -> None:
    op.create_table(
        "listed_dossier",
        *of_the_town(
            "listed_dossier",
            list_id="dossier_list",
            dossier_id="dossier",
            agent_id="account",
            place_id="place",
            answered_by_id="account",
        ),
        sa.Column("list_id", sa.Uuid(), nullable=False),
        sa.Column("dossier_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("agent_id", sa.Uuid(), nullable=True),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("declared", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("code", sa.LargeBinary(), nullable=True),
        sa.Column("outcome", one_of("outcome", "waiting", "accepted", "returned"), nullable=False),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.Column("answered_by_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("given", sa.LargeBinary(), nullable=True),
        sa.UniqueConstraint("town_id", "list_id", "number", name=op.f("uq_listed_dossier_town_id_list_id_number")),
        *(
            sa.CheckConstraint(condition, name=op.f(f"ck_listed_dossier_{name}"))
            for name, condition in {
                "number": "number > 0",
                "layers": LAYERS,
                "answered": "(outcome = 'waiting') = (answered_on is null)",
                "reason": "(outcome = 'returned') = (reason is not null)",
                "given": "given is null or outcome = 'accepted'",
            }.items()
        ),
    )
    op.create_index(op.f("ix_listed_dossier_town_id_dossier_id"), "listed_dossier", ["town_id", "dossier_id"])
    op.create_index(op.f("ix_listed_dossier_town_id_agent_id"), "listed_dossier", ["town_id", "agent_id"])
    op.create_index(
        "uq_listed_dossier_standing",
        "listed_dossier",
        ["town_id", "dossier_id"],
        unique=True,
        postgresql_where=sa.text("outcome <> 'returned'"),
    )


# ---- what was handed in before


def _carried_over() -> None:
    here = op.get_bind()
    table = sa.table(
        "listed_dossier",
        *map(sa.column, (*AS_HANDED_IN[:-2], "code", "outcome", "answered_on", "given")),
        sa.column("declared", postgresql.JSONB()),
    )
    rows = list(_rows(here))
    if rows:
        here.execute(table.insert(), rows)


def _rows(here: sa.Connection) -> Iterator[dict[str, Any]]:
    codes = json.loads(UNIT_CODES.read_text("utf-8"))["codes"]
    since = date.fromisoformat(json.loads(LAW.read_text("utf-8"))[0]["effective_from"])
    places = {(row.town_id, row.id): row for row in here.execute(sa.text("select * from place"))}
    became: dict[tuple[UUID, UUID], list[Any]] = {}
    for step in here.execute(sa.text("select * from place_succession order by position, id")):
        became.setdefault((step.town_id, step.predecessor_id), []).append(step)
    before, number = None, 0
    for one in here.execute(sa.text(HANDED_IN)).all():
        number = number + 1 if before == (one.town_id, one.list_id) else 1
        before = one.town_id, one.list_id
        ward = _ward(one, places, became)
        accepted = one.state == "accepted"
        yield {
            "town_id": one.town_id,
            "id": uuid4(),
            "list_id": one.list_id,
            "dossier_id": one.id,
            "number": number,
            "agent_id": one.agent_id,
            "place_id": ward.id,
            "declared": _declared(one, ward, codes),
            "code": _code(one, one.submitted_on, since),
            "outcome": "accepted" if accepted else "waiting",
            "answered_on": one.accepted_on if accepted else None,
            "given": _code(one, one.accepted_on, since) if accepted else None,
        }


def _code(one: Any, day: date, since: date) -> bytes | None:
    """The sealed number that is the code on a day. Old cards of nine digits are none."""
    if one.insurance_number is not None or one.citizen_id is None or day < since:
        return one.insurance_number  # type: ignore[no-any-return]
    return one.citizen_id if len(sealed.current().open(bytes(one.citizen_id))) == DIGITS else None


def _ward(one: Any, places: dict[tuple[UUID, UUID], Any], became: dict[tuple[UUID, UUID], list[Any]]) -> Any:
    """The ward or commune that the recorded one was on the day: a neighbourhood decides where one was divided."""

    def on_the_day(place: Any) -> Any:
        while place.valid_to is not None and place.valid_to <= one.submitted_on:
            steps = [step for step in became.get((place.town_id, place.id), ()) if step.on_day <= one.submitted_on]
            if not steps:
                break
            place = places[place.town_id, steps[0].successor_id]
        return place

    ward, part = places[one.town_id, one.place_id], places.get((one.town_id, one.neighbourhood_id))
    steps = became.get((one.town_id, ward.id), ())
    if part is not None and len([step for step in steps if step.on_day <= one.submitted_on]) > 1:
        parent = places.get((one.town_id, on_the_day(part).parent_id))
        return on_the_day(parent or ward)
    return on_the_day(ward)


def _declared(one: Any, ward: Any, codes: list[dict[str, Any]]) -> dict[str, Any]:
    kept = dict(one.declared)
    ground, interest = kept.pop("ground", "other"), kept.pop("interest", None)
    held = next(
        (
            each
            for each in codes
            if each["town"] == one.town
            and each["from"] <= one.submitted_on.isoformat() <= (each["until"] or "9999-12-31")
        ),
        {"province": "", "district": ""},
    )
    return kept | {
        "HoTen": one.full_name.upper(),
        "Ghichu": _remarks(one, ground, interest),
        "CCNS": "1" if one.birth_year and one.birth_date is None else "",
        "Loai": KINDS.get(kept["PA"], ""),
        "Matinh": held["province"],
        "Mahuyen": held["district"],
        "Maxa": ward.code or "",
        "Diachi_DangSS": ", ".join(part for part in (one.address, ward.name) if part),
    }


def _remarks(one: Any, ground: str, interest: int | None) -> str:
    born = one.birth_date
    birth = f"{born.day}/{born.month}/{born.year}" if born else str(one.birth_year or "")
    phone = one.phone or one.other_phone
    late = f"{interest:,}".replace(",", ".") if interest is not None else None
    parts = (
        GROUNDS[ground],
        f"Đóng một lần cho thời gian còn thiếu, gồm lãi {late} đ" if late is not None else "",
        f"SĐT {_pretty(phone)}" if phone else "",
        f"Ngày sinh {birth}" if birth else "",
        one.email,
    )
    return ", ".join(part for part in parts if part)


def _pretty(phone: str) -> str:
    rest = "0" + phone.removeprefix("+84")
    if not phone.startswith("+84"):
        return phone
    if len(rest) != 10 and rest.startswith(("024", "028")):
        return f"{rest[:3]} {rest[3:7]} {rest[7:]}"
    return f"{rest[:4]} {rest[4:7]} {rest[7:]}"
