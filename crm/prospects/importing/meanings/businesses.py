"""The tax office's list: who owns a registered household business. Facts only; what follows from them is the law's."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, delete, literal, select
from sqlalchemy.orm import Session

from crm.names import fold
from crm.prospects.importing import kinds
from crm.prospects.importing.kinds import Rows, person_of
from crm.prospects.importing.models import HouseholdBusiness, TaxMethod
from crm.prospects.models import ListImport
from crm.prospects.rules import ListKind


def businesses_of(
    session: Session, town_id: UUID, prospect_ids: Collection[UUID]
) -> dict[UUID, list[HouseholdBusiness]]:
    """The businesses of these people as the latest list of each tells them, by person."""
    query = (
        select(HouseholdBusiness)
        .where(
            HouseholdBusiness.town_id == town_id,
            HouseholdBusiness.prospect_id == any_(literal(list(prospect_ids), ARRAY(Uuid()))),
        )
        .order_by(HouseholdBusiness.recorded_at.desc(), HouseholdBusiness.id.desc())
    )
    found: dict[UUID, dict[str, HouseholdBusiness]] = {}
    for row in session.scalars(query):
        found.setdefault(row.prospect_id, {}).setdefault(_which(row.tax_code, row.name, row.trade), row)
    return {prospect_id: list(rows.values()) for prospect_id, rows in found.items()}


def _which(tax_code: str | None, name: str | None, trade: str | None) -> str:
    """What tells one business of somebody from another."""
    return tax_code or fold(name or trade or "")


def taken_in(session: Session, listed: ListImport, rows: Rows, by_id: UUID | None, at: datetime) -> None:
    """Note what the list says of each business, unless exactly that is known."""
    known = businesses_of(session, listed.town_id, {person_of(row) for row, one in rows if one.extra})
    for row, one in rows:
        if not one.extra:
            continue
        said = _said(one.extra)
        same = _which(said["tax_code"], said["name"], said["trade"])
        before = next(
            (each for each in known.get(person_of(row), ()) if _which(each.tax_code, each.name, each.trade) == same),
            None,
        )
        if before and all(value in (None, getattr(before, name)) for name, value in said.items()):
            continue
        if before:  # what this list leaves out, the one before still says
            said = {name: value if value is not None else getattr(before, name) for name, value in said.items()}
        session.add(
            HouseholdBusiness(
                town_id=listed.town_id,
                prospect_id=person_of(row),
                source=listed.filename,
                import_id=listed.id,
                row_id=row.id,
                recorded_at=at,
                recorded_by_id=by_id,
                **said,
            )
        )
    session.flush()


def _said(extra: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "tax_code": extra.get("tax_code"),
        "name": extra.get("name"),
        "trade": extra.get("trade"),
        "method": TaxMethod(extra["method"]) if extra.get("method") else None,
        "since": date.fromisoformat(extra["since"]) if extra.get("since") else None,
    }


def taken_back(session: Session, listed: ListImport, rows: Rows, at: datetime) -> Mapping[UUID, str]:
    """What this list said of businesses is forgotten; nobody has to stay because of it."""
    session.execute(
        delete(HouseholdBusiness)
        .where(
            HouseholdBusiness.town_id == listed.town_id,
            HouseholdBusiness.import_id == listed.id,
            HouseholdBusiness.row_id == any_(literal([row.id for row, _one in rows], ARRAY(Uuid()))),
        )
        .execution_options(synchronize_session=False)
    )
    return {}


kinds.handles(ListKind.HOUSEHOLD_BUSINESSES, taken_in=taken_in, taken_back=taken_back)
