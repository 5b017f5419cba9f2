"""The town, its places and organisations through time, the plan's targets, and the law.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import sqlalchemy as sa
from alembic import op

from crm.names import fold

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NAMESPACE = UUID("6c0b8a6e-5c1e-5b0a-9a53-3c1f0a7a1385")
"""Rows of the first day have the same ids everywhere, so that lists made elsewhere fit."""

DATA = Path(__file__).parent.parent / "data"
LAW = Path(__file__).parents[2] / "crm" / "premiums" / "law.json"


def known(name: str) -> UUID:
    """The id of a row of the first day."""
    return uuid5(NAMESPACE, name)


def table(name: str) -> sa.Table:
    """A table as this revision finds it."""
    return sa.Table(name, sa.MetaData(), autoload_with=op.get_bind())


def day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def upgrade() -> None:
    rows: dict[str, Any] = json.loads((DATA / "places.json").read_text("utf-8"))
    town = known("town " + rows["town"]["code"])
    op.bulk_insert(table("town"), [{"id": town, **rows["town"]}])
    op.bulk_insert(
        table("place"),
        [
            {
                "town_id": town,
                "id": known("place " + place["key"]),
                "code": place["code"],
                "name": place["name"],
                "name_fold": fold(place["name"]),
                "kind": place["kind"],
                "parent_id": known("place " + place["parent"]) if place.get("parent") else None,
                "valid_from": day(place["from"]),
                "valid_to": day(place["to"]),
                "special": False,
            }
            for place in rows["places"]
        ],
    )
    op.bulk_insert(
        table("place_succession"),
        [
            {
                "town_id": town,
                "id": known(f"succession {step['from']} {step['to']}"),
                "predecessor_id": known("place " + step["from"]),
                "successor_id": known("place " + step["to"]),
                "on_day": day(step["on"]),
                "document": step["document"],
            }
            for step in rows["successions"]
        ],
    )
    op.bulk_insert(
        table("organisation"),
        [
            {
                "town_id": town,
                "id": known("organisation " + organisation["code"]),
                "valid_from": date(2000, 1, 1),
                **organisation,
            }
            for organisation in rows["organisations"]
        ],
    )
    op.bulk_insert(
        table("target"),
        [
            {
                "town_id": town,
                "id": known(f"target {target['year']} {target['indicator']}"),
                "revision": 1,
                "authority": "UBND thị xã Bỉm Sơn",
                "document": "1553/KH-UBND",
                "recorded_at": datetime(2019, 8, 1, tzinfo=UTC),
                **target,
                "rate": Decimal(target["rate"]),
            }
            for target in rows["targets"]
        ],
    )
    op.bulk_insert(table("setting"), [{"name": "epoch", "value": 1}])
    op.bulk_insert(
        table("law_value"),
        [
            {
                **entry,
                "id": known(f"law {entry['key']} {entry['ground']} {entry['effective_from']} {entry['status']}"),
                "value": Decimal(entry["value"]),
                "effective_from": day(entry["effective_from"]),
            }
            for entry in json.loads(LAW.read_text("utf-8"))
        ],
    )


def downgrade() -> None:
    for name in ("law_value", "setting", "target", "organisation", "place_succession", "place", "town"):
        op.execute(sa.delete(table(name)))
