"""Saying what a line was. Of two who decide on one line at once the database lets one through; the other is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm.bulk import insert_rows
from crm.errors import Conflict, RuleBroken
from crm.ids import new_id, new_ids
from crm.money import Vnd
from crm.sponsors import services as books
from crm.sponsors.ledger.booking import open_day
from crm.sponsors.ledger.receiving import Gift, receive_many
from crm.sponsors.models import Pledge, Posting, Receipt, Sponsor
from crm.sponsors.statements import queries
from crm.sponsors.statements.models import LinePart, StatementLine
from crm.sponsors.statements.rules.kinds import CLEARED_AT_ONCE, NOT_GIFTS, LineState, Share, Use
from crm.sponsors.statements.rules.matching import not_a_gift
from crm.web.filters import in_money

MOST_CLEARED = 500


def book(
    session: Session,
    line: StatementLine,
    shares: Sequence[Share],
    *,
    by_id: UUID | None,
    at: datetime,
    by_itself: bool = False,
) -> None:
    """The money of a line is these sponsors', in shares that sum to it. More than a promise expects stays available to
    the sponsor. Raises RuleBroken, and Conflict `decided`."""
    _check(shares, line.amount)
    _take(session, line)
    on = open_day(session, line.town_id, line.posted_on)
    for share in shares:
        sponsor, pledge = _whose(session, line.town_id, share)
        receipt = books.receive(
            session,
            sponsor,
            share.amount,
            reference=_free_reference(session, line),
            pledge=pledge,
            by_id=by_id,
            on=on,
            at=at,
        )
        said: dict[str, Any] = {"sponsor_id": sponsor.id, "receipt_id": receipt.id, "posting_id": receipt.posting_id}
        _add(session, line, Use.GIFT, share.amount, on, by_id=by_id, at=at, by_itself=by_itself, **said)


def book_many(
    session: Session,
    town_id: UUID,
    booked: Sequence[tuple[StatementLine, Sequence[Share]]],
    *,
    by_id: UUID | None,
    at: datetime,
) -> None:
    """What `book` does for each of these lines by itself, in a few statements: all of them or none. The lines themselves
    are as they were before in the session; they have to be read again. Raises what `book` raises for one of them."""
    if not booked:
        return
    for line, shares in booked:
        _check(shares, line.amount)
    _take_many(session, town_id, [line.id for line, _shares in booked])
    opens = open_day(session, town_id, date.min)
    references = _free_references(session, town_id, [(line, len(shares)) for line, shares in booked])
    gifts = [
        Gift(*share, on=max(line.posted_on, opens), reference=next(references))
        for line, shares in booked
        for share in shares
    ]
    received = receive_many(session, town_id, gifts, by_id=by_id, at=at)
    lines = [line for line, shares in booked for _share in shares]
    rows = [
        {
            "town_id": town_id,
            "id": key,
            "line_id": line.id,
            "use": Use.GIFT,
            "amount": gift.amount,
            "sponsor_id": gift.sponsor_id,
            "receipt_id": made.receipt_id,
            "posting_id": made.posting_id,
            "by_itself": True,
            "linked": False,
            "booked_on": gift.on,
            "recorded_at": at,
            "recorded_by_id": by_id,
        }
        for key, line, gift, made in zip(new_ids(len(gifts)), lines, gifts, received, strict=True)
    ]
    session.execute(insert_rows(LinePart, rows))


def link(
    session: Session,
    line: StatementLine,
    receipt: Receipt,
    *,
    by_id: UUID | None,
    at: datetime,
    by_itself: bool = False,
) -> None:
    """The line shows money that was recorded by hand before. Raises RuleBroken when the amounts differ."""
    if receipt.amount != line.amount or receipt.corrected_id is not None:
        raise RuleBroken(_l("This receipt is of another amount."), code="another_amount")
    _take(session, line)
    said = {"sponsor_id": receipt.sponsor_id, "receipt_id": receipt.id, "posting_id": receipt.posting_id}
    _add(
        session,
        line,
        Use.GIFT,
        line.amount,
        receipt.received_on,
        by_id=by_id,
        at=at,
        by_itself=by_itself,
        linked=True,
        **said,
    )


def hold(session: Session, line: StatementLine, *, by_id: UUID | None, at: datetime) -> None:
    """The money is on the account and nobody knows yet whose it is."""
    if line.amount <= 0:
        raise RuleBroken(_l("Only money that came in can be held."))
    _take(session, line)
    on = open_day(session, line.town_id, line.posted_on)
    posting = books.hold_unidentified(
        session, line.town_id, line.amount, reference=line.reference, by_id=by_id, on=on, at=at
    )
    _add(session, line, Use.HELD, line.amount, on, by_id=by_id, at=at, posting_id=posting.id)


def set_aside(
    session: Session, line: StatementLine, use: Use, why: str | None, *, by_id: UUID | None, at: datetime
) -> None:
    """The line is no sponsor's money: a fee, interest, our own transfer, or something else that `why` says."""
    if use not in NOT_GIFTS:
        raise RuleBroken(_l("Choose what the line was."), field="use")
    if use is Use.OTHER and not why:
        raise RuleBroken(_l("Say in a few words what it was."), field="why")
    if (use is Use.FEE and line.amount > 0) or (use is Use.INTEREST and line.amount < 0):
        raise RuleBroken(_l("A fee goes out and interest comes in: look at the amount again."), field="use")
    _take(session, line)
    _add(session, line, use, line.amount, line.posted_on, by_id=by_id, at=at, why=why)


def show_moves(
    session: Session,
    line: StatementLine,
    use: Use,
    posting_ids: Collection[UUID],
    *,
    rest_why: str | None = None,
    by_id: UUID | None,
    at: datetime,
) -> None:
    """The line shows these movements of the books: paid to the insurance fund or come back from it, or returned to
    sponsors. What the line has beyond them is no sponsor's money, if `rest_why` says what it is. Raises RuleBroken when
    the sums differ."""
    came_in = line.amount > 0
    if use not in ((Use.INSURANCE,) if came_in else (Use.INSURANCE, Use.REFUND)):
        raise RuleBroken(_l("Choose what the line was."), field="use")
    sign = 1 if came_in else -1
    moves = queries.moves_unseen(session, line.town_id, use, date.max, came_in=came_in)
    unseen = {one.posting_id: one for one in moves}
    if not posting_ids or not set(posting_ids) <= set(unseen):
        raise _shown()
    chosen = [unseen[key] for key in dict.fromkeys(posting_ids)]
    whole = abs(line.amount)
    rest = whole - sum(one.amount for one in chosen)
    if rest and not (rest > 0 and rest_why):
        raise RuleBroken(
            _l(
                "The payments chosen come to %(chosen)s, the line to %(line)s.",
                chosen=in_money(whole - rest),
                line=in_money(whole),
            ),
            code="sums_differ",
        )
    _take(session, line)
    for one in chosen:
        _add(session, line, use, sign * one.amount, one.day, by_id=by_id, at=at, posting_id=one.posting_id)
    if rest:
        _add(session, line, Use.OTHER, sign * rest, line.posted_on, by_id=by_id, at=at, why=rest_why)


def send_back(
    session: Session,
    line: StatementLine,
    held: LinePart,
    *,
    by_id: UUID | None,
    at: datetime,
    request_id: UUID | None = None,
) -> None:
    """The line that went out is money that had been held, sent back to its payer. Raises RuleBroken, and Conflict
    `needs_second`."""
    session.refresh(held, with_for_update=True)
    if held.use is not Use.HELD or held.ended_at is not None or held.amount != -line.amount:
        raise RuleBroken(_l("This is not the money that was held."), code="another_amount")
    _take(session, line)
    on = open_day(session, line.town_id, line.posted_on)
    posting = _posting(session, held)
    act: dict[str, Any] = {"by_id": by_id, "on": on, "at": at, "request_id": request_id}
    back = books.return_unidentified(session, posting, held.amount, reason=line.reference, **act)
    said = {"posting_id": back.id, "of_part_id": held.id}
    _add(session, line, Use.RETURNED, line.amount, on, by_id=by_id, at=at, **said)


def identify(
    session: Session, line: StatementLine, shares: Sequence[Share], *, by_id: UUID | None, on: date, at: datetime
) -> None:
    """Money of the line that was held is these sponsors'. What the shares leave goes on being held."""
    held = session.scalars(
        select(LinePart)
        .where(
            LinePart.town_id == line.town_id,
            LinePart.line_id == line.id,
            LinePart.use == Use.HELD,
            LinePart.ended_at.is_(None),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if held is None:
        raise _decided()
    left = held.amount - sum(share.amount for share in shares)
    if left < 0:
        raise RuleBroken(_l("The parts are more than the line."), code="sums_differ")
    _check(shares, held.amount - left)
    posting, day = _posting(session, held), open_day(session, line.town_id, on)
    _end(session, [held], day, by_id=by_id, at=at)
    for share in shares:
        sponsor, pledge = _whose(session, line.town_id, share)
        receipt = books.identify(
            session,
            sponsor,
            share.amount,
            pledge=pledge,
            reference=_free_reference(session, line),
            from_posting=posting,
            by_id=by_id,
            on=day,
            at=at,
        )
        said: dict[str, Any] = {"sponsor_id": sponsor.id, "receipt_id": receipt.id, "posting_id": posting.id}
        _add(session, line, Use.GIFT, share.amount, day, by_id=by_id, at=at, of_part_id=held.id, **said)
    if left:
        _add(session, line, Use.HELD, left, day, by_id=by_id, at=at, posting_id=posting.id, of_part_id=held.of_part_id)


def undo(
    session: Session,
    line: StatementLine,
    reason: str,
    *,
    by_id: UUID | None,
    on: date,
    at: datetime,
    request_id: UUID | None = None,
) -> None:
    """What was said of a line was wrong: receipts are put right by reversal, held money is taken back, and the line is
    open again. Receipts recorded by hand before the line came stand. Raises RuleBroken, e.g. when the money is spent,
    and Conflict `needs_second`."""
    if not reason:
        raise RuleBroken(_l("Say why it is undone."), field="reason")
    _take(session, line, before=(LineState.SETTLED,), after=LineState.OPEN)
    day = max(open_day(session, line.town_id, on), line.posted_on)
    parts = session.scalars(
        select(LinePart).where(
            LinePart.town_id == line.town_id, LinePart.line_id == line.id, LinePart.ended_at.is_(None)
        )
    ).all()
    if _sent_back(session, parts):
        raise RuleBroken(_l("This money was sent back. Undo the line that sent it back first."), code="sent_back")
    act: dict[str, Any] = {"reason": reason, "by_id": by_id, "on": day, "at": at, "request_id": request_id}
    for part in parts:
        if part.use is Use.GIFT and not part.linked:
            receipt = session.get_one(Receipt, (line.town_id, part.receipt_id))
            if receipt.corrected_id is None:  # else it was put right on the sponsor's page
                books.correct_receipt(session, receipt, **act)
    held = {part.posting_id for part in parts if part.use is Use.HELD or (part.of_part_id and part.use is Use.GIFT)}
    for part in parts:
        if part.use is Use.RETURNED:
            held.add(part.posting_id)
    for posting_id in held:
        books.correct_posting(session, session.get_one(Posting, (line.town_id, posting_id)), **act)
    _end(session, parts, day, by_id=by_id, at=at)


def clear_small(session: Session, town_id: UUID, *, by_id: UUID | None, at: datetime) -> int:
    """Accept the suggestion for every open line that looks like a fee or interest; how many there were."""
    query = (
        select(StatementLine)
        .where(StatementLine.town_id == town_id, StatementLine.state == LineState.OPEN)
        .order_by(StatementLine.posted_on, StatementLine.id)
        .with_for_update(skip_locked=True)
    )
    done = 0
    for line in session.scalars(query.limit(MOST_CLEARED * 4)):
        told = not_a_gift(queries.seen(line))
        if told and told[0] in CLEARED_AT_ONCE and done < MOST_CLEARED:
            set_aside(session, line, told[0], None, by_id=by_id, at=at)
            done += 1
    return done


def _take(
    session: Session,
    line: StatementLine,
    before: Collection[LineState] = (LineState.NEW, LineState.OPEN),
    after: LineState = LineState.SETTLED,
) -> None:
    """Only one act can settle a line: whoever comes second is told."""
    session.flush()
    taken = session.execute(
        update(StatementLine)
        .where(
            StatementLine.town_id == line.town_id, StatementLine.id == line.id, StatementLine.state.in_(list(before))
        )
        .values(state=after)
        .returning(StatementLine.id)
        .execution_options(synchronize_session=False)
    )
    if taken.one_or_none() is None:
        raise _decided()
    session.refresh(line)


def _take_many(session: Session, town_id: UUID, line_ids: Collection[UUID]) -> None:
    session.flush()
    taken = session.execute(
        update(StatementLine)
        .where(
            StatementLine.town_id == town_id,
            StatementLine.id.in_(line_ids),
            StatementLine.state.in_([LineState.NEW, LineState.OPEN]),
        )
        .values(state=LineState.SETTLED)
        .returning(StatementLine.id)
        .execution_options(synchronize_session=False)
    )
    if len(taken.all()) != len(line_ids):
        raise _decided()


def _decided() -> Conflict:
    return Conflict(_l("Somebody else decided on this line a moment ago. Look at it again."), code="decided")


def _check(shares: Sequence[Share], amount: Vnd) -> None:
    if amount <= 0 or not shares or any(share.amount <= 0 for share in shares):
        raise RuleBroken(_l("Say for whom the money is, and how much: more than 0 each."), code="shares")
    if len({share[:2] for share in shares}) < len(shares):
        raise RuleBroken(_l("A promise stands there twice. Put its amounts together."), code="shares")
    total = sum(share.amount for share in shares)
    if total != amount:
        raise RuleBroken(
            _l("The parts come to %(total)s, the line to %(line)s.", total=in_money(total), line=in_money(amount)),
            code="sums_differ",
        )


def _whose(session: Session, town_id: UUID, share: Share) -> tuple[Sponsor, Pledge | None]:
    sponsor = session.get(Sponsor, (town_id, share.sponsor_id))
    pledge = session.get(Pledge, (town_id, share.pledge_id)) if share.pledge_id else None
    if sponsor is None or (share.pledge_id and pledge is None):
        raise RuleBroken(_l("This sponsor or promise is not there. Choose again."), code="shares")
    return sponsor, pledge


def _plain_reference(line: StatementLine) -> str:
    return line.reference if not line.reference.startswith("#") else f"SK{line.reference[1:13].upper()}"


def _numbered(plain: str, number: int) -> str:
    return plain if number == 1 else f"{plain}/{number}"


def _free_reference(session: Session, line: StatementLine) -> str:
    """The bank's reference for the next receipt of a line; a further receipt under the same gets a number behind it."""
    return next(_free_references(session, line.town_id, [(line, 1)]))


def _free_references(session: Session, town_id: UUID, wanted: Sequence[tuple[StatementLine, int]]) -> Iterator[str]:
    """For each line as many references as it has receipts, none booked yet and each given once."""
    many: Counter[str] = Counter()
    for line, receipts in wanted:
        many[_plain_reference(line)] += receipts
    free: dict[str, Iterator[str]] = {}
    further = 0
    while len(free) < len(many):
        asked = {
            plain: [_numbered(plain, number) for number in range(1, needed + further + 1)]
            for plain, needed in many.items()
            if plain not in free
        }
        names = [name for some in asked.values() for name in some]
        taken = set(
            session.scalars(
                select(Receipt.reference).where(
                    Receipt.town_id == town_id, Receipt.reference.in_(names), Receipt.corrected_id.is_(None)
                )
            )
        )
        for plain, some in asked.items():
            left = [name for name in some if name not in taken]
            if len(left) >= many[plain]:
                free[plain] = iter(left)
        further = 2 * further + 2
    for line, receipts in wanted:
        for _place in range(receipts):
            yield next(free[_plain_reference(line)])


def _sent_back(session: Session, parts: Sequence[LinePart]) -> bool:
    held = [part.id for part in parts if part.use is Use.HELD]
    query = select(LinePart.id).where(
        LinePart.of_part_id.in_(held), LinePart.use == Use.RETURNED, LinePart.ended_at.is_(None)
    )
    return bool(held) and session.scalars(query.limit(1)).first() is not None


def _posting(session: Session, part: LinePart) -> Posting:
    return session.get_one(Posting, (part.town_id, part.posting_id))


def _add(
    session: Session,
    line: StatementLine,
    use: Use,
    amount: Vnd,
    on: date,
    *,
    at: datetime,
    by_id: UUID | None,
    **more: Any,
) -> None:
    part = LinePart(
        town_id=line.town_id,
        id=new_id(),
        line_id=line.id,
        use=use,
        amount=amount,
        booked_on=on,
        recorded_at=at,
        recorded_by_id=by_id,
        **more,
    )
    try:
        with session.begin_nested():
            session.add(part)
            session.flush()
    except IntegrityError as refused:
        if "uq_statement_part_" not in str(refused.orig):
            raise
        raise _shown() from None


def _shown() -> Conflict:
    return Conflict(_l("Another line shows one of these already. Open the page again."), code="shown_already")


def _end(session: Session, parts: Collection[LinePart], on: date, *, by_id: UUID | None, at: datetime) -> None:
    for part in parts:
        part.ended_on, part.ended_at, part.ended_by_id = max(on, part.booked_on), at, by_id
    session.flush()
