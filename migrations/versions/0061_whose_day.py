"""Whose day a duty has; the plan's actors that were not among the organisations yet.

Revision ID: 0061
Revises: 0060
"""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid5

import sqlalchemy as sa
from alembic import op

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None

NAMESPACE = UUID("6c0b8a6e-5c1e-5b0a-9a53-3c1f0a7a1385")
"""Of the rows of the first day: the same ids everywhere."""
ACTORS = (
    (2, "TCKH", "Phòng Tài chính - Kế hoạch"),
    (4, "THUE", "Chi cục Thuế"),
    (5, "VHTT", "Phòng Văn hóa - Thông tin"),
    (6, "NOIVU", "Phòng Nội vụ"),
    (9, "HTX", "Các hợp tác xã"),
    (10, "HDN", "Hội Doanh nghiệp"),
)
"""Number in section IV of the plan, code, name."""


def upgrade() -> None:
    op.add_column(
        "duty",
        sa.Column(
            "day_by",
            sa.Enum("plan", "proposal", "office", name="dayby", native_enum=False, create_constraint=True, length=40),
            nullable=True,
        ),
    )
    op.execute(
        "update duty set day_by = case when due_on = make_date(year::int, 12, 9) then 'plan' else 'proposal' end "
        "where due_on is not null"
    )
    op.create_check_constraint(op.f("ck_duty_whose_day"), "duty", "(due_on is null) = (day_by is null)")
    here = op.get_bind()
    town = here.scalar(sa.text("select town_id from organisation where code = 'LDTBXH'"))
    if town is None:
        return
    add = sa.text(
        "insert into organisation (town_id, id, code, name, kind, valid_from) "
        "values (:town, :id, :code, :name, 'other', :since) on conflict do nothing"
    )
    whose = sa.text(
        "update duty set organisation_id = o.id from organisation o where o.town_id = :town and o.code = :code "
        "and duty.town_id = :town and duty.actor_no = :no and duty.organisation_id is null and duty.place_id is null"
    )
    for no, code, name in ACTORS:
        key = uuid5(NAMESPACE, f"organisation {code}")
        here.execute(add, {"town": town, "id": key, "code": code, "name": name, "since": date(2000, 1, 1)})
        here.execute(whose, {"town": town, "code": code, "no": no})


def downgrade() -> None:
    here = op.get_bind()
    codes = [code for _no, code, _name in ACTORS]
    named = sa.bindparam("codes", expanding=True)
    ours = sa.text("select id from organisation where code in :codes").bindparams(named)
    ids = list(here.scalars(ours, {"codes": codes}))
    if ids:
        free = sa.text("update duty set organisation_id = null where organisation_id in :ids")
        here.execute(free.bindparams(sa.bindparam("ids", expanding=True)), {"ids": ids})
        away = sa.text("delete from organisation where id in :ids")
        here.execute(away.bindparams(sa.bindparam("ids", expanding=True)), {"ids": ids})
    op.drop_constraint(op.f("ck_duty_whose_day"), "duty")
    op.drop_column("duty", "day_by")
