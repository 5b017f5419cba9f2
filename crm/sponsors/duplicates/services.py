"""Making two sponsors one, and telling them apart again. Rows stay where they are; free money passes by a movement."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.errors import Conflict, RuleBroken
from crm.ids import new_id
from crm.money import Vnd
from crm.sponsors.duplicates.queries import FILLED, has_joined, taken_over
from crm.sponsors.ledger.booking import Booked
from crm.sponsors.ledger.deciding import ask_once_tried, does
from crm.sponsors.ledger.limits import limit
from crm.sponsors.ledger.models import MoneyRequest
from crm.sponsors.ledger.passing import free, pass_over, passed
from crm.sponsors.ledger.rules import MoneyAct
from crm.sponsors.models import Sponsor, SponsorMerge
from crm.sponsors.services import change_sponsor, known_of
from crm.web.filters import in_money

TOLD = _l("Somebody changed one of these sponsors a moment ago. Open the page again.")


def merge(
    session: Session,
    kept: Sponsor,
    gone: Sponsor,
    why: str,
    *,
    by: User,
    on: date,
    at: datetime,
    request_id: UUID | None = None,
) -> SponsorMerge:
    """`gone` is `kept` from now on: pages, papers and sums of `kept` tell of both, and what is free of `gone` is free of
    `kept`.

    Raises RuleBroken for one who is joined already or to whom others were joined, and Conflict `needs_second` when more
    than the limit would pass.
    """
    if not why:
        raise RuleBroken(_l("Say in a few words why they are the same."), field="why")
    if kept.id == gone.id:
        raise RuleBroken(_l("Choose two different sponsors."), field="gone")
    _hold(session, kept, gone)
    if kept.merged_into_id or gone.merged_into_id:
        raise Conflict(TOLD, code="joined")
    if has_joined(session, gone):
        message = _l("Others were joined to %(name)s. Join the other way round: let %(name)s stay.", name=gone.name)
        raise RuleBroken(message, code="has_joined")
    amount = free(session, kept.town_id, gone.id)
    most = limit(session)
    if most is not None and amount > most and request_id is None:
        message = _l("More than %(limit)s takes two people: ask a second person to approve it.", limit=in_money(most))
        raise Conflict(message, code="needs_second", amount=amount)
    row = SponsorMerge(
        town_id=kept.town_id,
        id=new_id(),
        kept_id=kept.id,
        gone_id=gone.id,
        why=why,
        request_id=request_id,
        at=at,
        by_id=by.id,
    )
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError as refused:
        if "sponsor_merge" not in str(refused.orig):
            raise
        raise Conflict(TOLD, code="joined") from None
    if amount:
        pass_over(session, kept.town_id, gone.id, kept.id, amount, Booked(by.id, on, at), memo=gone.name)
    session.refresh(gone)
    _fill(session, kept, gone, by=by, at=at)
    return row


def merge_or_ask(
    session: Session, kept: Sponsor, gone: Sponsor, why: str, *, by: User, on: date, at: datetime
) -> SponsorMerge | MoneyRequest:
    """Make two sponsors one, or, when more than the limit would pass, ask a second person. Raises what `merge` raises."""
    try:
        with session.begin_nested():
            return merge(session, kept, gone, why, by=by, on=on, at=at)
    except Conflict as refused:
        if refused.code != "needs_second":
            raise
        return ask_once_tried(
            session,
            kept.town_id,
            MoneyAct.MERGE,
            {"gone_id": str(gone.id)},
            refused.details["amount"],
            lambda request_id: merge(session, kept, gone, why, by=by, on=on, at=at, request_id=request_id),
            sponsor_id=kept.id,
            reason=why,
            by=by,
            at=at,
        )


def to_give_back(session: Session, row: SponsorMerge) -> Vnd:
    """The most that can pass back when they are told apart: what passed over, as far as it is still free."""
    gone = session.get_one(Sponsor, (row.town_id, row.gone_id))
    return max(min(passed(session, gone, row.kept_id), free(session, row.town_id, row.kept_id)), 0)


def tell_apart(session: Session, row: SponsorMerge, back: Vnd, why: str, *, by: User, on: date, at: datetime) -> None:
    """They are two after all. `back` đồng pass back: at most what passed over and is still free. Raises RuleBroken, and
    Conflict `undone` the second time."""
    if not why:
        raise RuleBroken(_l("Say in a few words why they are two."), field="why")
    kept = session.get_one(Sponsor, (row.town_id, row.kept_id))
    gone = session.get_one(Sponsor, (row.town_id, row.gone_id))
    _hold(session, kept, gone)
    session.refresh(row, with_for_update=True)
    if row.undone_at:
        raise Conflict(_l("They were told apart already."), code="undone")
    most = to_give_back(session, row)
    if not 0 <= back <= most:
        raise RuleBroken(_l("At most %(most)s can pass back.", most=in_money(most)), field="back")
    _empty(session, row, kept, gone, by=by, at=at)
    row.undone_at, row.undone_by_id, row.undone_why = at, by.id, why
    session.flush()
    if back:
        pass_over(session, row.town_id, kept.id, gone.id, back, Booked(by.id, on, at), memo=gone.name)
    session.refresh(gone)


def _hold(session: Session, *sponsors: Sponsor) -> None:
    """Hold both, in the order of their ids, before any of their money moves."""
    session.flush()
    ids = [one.id for one in sponsors]
    query = select(Sponsor).where(Sponsor.town_id == sponsors[0].town_id, Sponsor.id.in_(ids))
    session.execute(query.order_by(Sponsor.id).with_for_update().execution_options(populate_existing=True)).all()


def _fill(session: Session, kept: Sponsor, gone: Sponsor, *, by: User, at: datetime) -> None:
    known: dict[str, Any] = known_of(kept)
    for name in FILLED:
        known[name] = known[name] or getattr(gone, name)
    change_sponsor(session, kept, **known, by_id=by.id, at=at)


def _empty(session: Session, row: SponsorMerge, kept: Sponsor, gone: Sponsor, *, by: User, at: datetime) -> None:
    """What was taken over goes back too, if nobody changed it meanwhile: nobody is reached by the number of another."""
    taken = {name for name in taken_over(session, row) if getattr(kept, name) == getattr(gone, name)}
    if kept.tax_code and kept.tax_code == gone.tax_code:
        taken.add("tax_code")
    if taken:
        change_sponsor(session, kept, **known_of(kept) | dict.fromkeys(taken), by_id=by.id, at=at)


def _approved(session: Session, request: MoneyRequest, asker: User, on: date, at: datetime) -> object:
    kept = session.get_one(Sponsor, (request.town_id, request.sponsor_id))
    gone = session.get_one(Sponsor, (request.town_id, UUID(request.arguments["gone_id"])))
    return merge(session, kept, gone, request.reason or "", by=asker, on=on, at=at, request_id=request.id)


does(MoneyAct.MERGE, _approved)
