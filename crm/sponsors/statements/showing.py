"""Lines as a page shows them: what each most likely is, why, and what one tap would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy.orm import Session

from crm.accounts.queries import Scope
from crm.money import Vnd
from crm.sponsors.models import Receipt
from crm.sponsors.statements import queries
from crm.sponsors.statements.forms import write_shares
from crm.sponsors.statements.models import StatementLine
from crm.sponsors.statements.queries import Part
from crm.sponsors.statements.rules.codes import Slip
from crm.sponsors.statements.rules.kinds import LineState, Share, Use
from crm.sponsors.statements.rules.matching import Matcher, Moved, Reason, Suggestion, Why, moved_as, not_a_gift
from crm.web import filters
from crm.web.language import chosen

REASONS: Mapping[Reason, Any] = {
    Reason.CODE: _l("The code %(told)s stands in the text."),
    Reason.CODES: _l("The codes %(told)s stand in the text."),
    Reason.NEAR_CODE: _l("The text nearly has a code: %(told)s."),
    Reason.CODE_OF_ENDED: _l("The promise %(told)s has ended."),
    Reason.CODE_GIVEN_BACK: _l("The text speaks of money given back, so nothing was booked by itself."),
    Reason.PAID_BEFORE_FROM: _l("Account %(told)s has paid for this sponsor before."),
    Reason.PAID_BEFORE_BY: _l("%(told)s has paid for this sponsor before."),
    Reason.TAX_CODE: _l("Their tax code %(told)s stands in the text."),
    Reason.PHONE: _l("Their telephone %(told)s stands in the text."),
    Reason.NAME_WHOLE: _l("Their whole name stands in the text."),
    Reason.NAME: _l("Their name stands in the text."),
    Reason.NAME_OF_PAYER: _l("The payer has their name."),
    Reason.NAME_NEARLY: _l("Nearly their name stands in the text."),
    Reason.CONTACT: _l("%(told)s, whom we ask for there, stands in the text."),
    Reason.AMOUNT: _l("The amount is just what %(told)s still expects."),
    Reason.INSTALMENT: _l("The amount is one of the parts %(told)s is due in."),
    Reason.SUM: _l("The amount is the sum of %(told)s."),
    Reason.DUE: _l("It came about when it was due."),
    Reason.ONLY_AMOUNT: _l("Nothing else speaks for it: ask the sponsor first."),
}
OF_CODES = frozenset({Reason.CODE, Reason.CODES, Reason.NEAR_CODE, Reason.CODE_OF_ENDED, Reason.CODE_GIVEN_BACK})
SLIPS: Mapping[Slip, Any] = {
    Slip.ALIKE: _l("Characters that look alike were taken for one another, such as O and 0."),
    Slip.WRONG: _l("One character is wrong."),
    Slip.MISSING: _l("One character is missing."),
    Slip.ADDED: _l("One character is too many."),
    Slip.SWAPPED: _l("Two characters changed places."),
    Slip.PREFIX: _l("The letters before it are damaged."),
    Slip.CUT: _l("The end of it was cut off."),
}


def _vnd(amount: Vnd) -> str:
    return filters.vnd(amount, chosen())


def _day(day: date) -> str:
    return str(filters.in_day(day))


class Shown(NamedTuple):
    """One thing that a line may be: whose, why, and what the button sends."""

    title: str
    whys: Sequence[str]
    notes: Sequence[str]
    act: str
    """accept, link, set_aside, moves or send_back."""
    sends: dict[str, str]


class Row(NamedTuple):
    """A line, what it was, or what it may be, the likeliest first."""

    line: StatementLine
    parts: Sequence[Part]
    offers: Sequence[Shown]


def rows_of(session: Session, scope: Scope, lines: Sequence[StatementLine]) -> list[Row]:
    """Lines with what was said of them and, for those that are open, what they may be."""
    parts = queries.parts_of(session, scope.town_id, [line.id for line in lines])
    wanting = [line for line in lines if line.state is LineState.OPEN or _is_held(parts.get(line.id, ()))]
    offers = offers_for(session, scope, wanting) if wanting else {}
    return [Row(line, parts.get(line.id, ()), offers.get(line.id, ())) for line in lines]


def _is_held(parts: Sequence[Part]) -> bool:
    return any(one.part.use is Use.HELD for one in parts)


def offers_for(session: Session, scope: Scope, lines: Sequence[StatementLine]) -> dict[UUID, list[Shown]]:
    """What each of these lines may be."""
    matcher = queries.matcher_of(session, scope.town_id)
    found: dict[UUID, list[Shown]] = {}
    suggestions = {line.id: matcher.match(queries.seen(line)).suggestions for line in lines}
    ids = {share.sponsor_id for some in suggestions.values() for one in some for share in one.shares}
    names = queries.names_of(session, scope.town_id, ids)
    by_hand = _by_hand(session, scope, lines)
    out = [line for line in lines if line.amount < 0]
    moves = {use: _moves(session, scope, use, out) for use in (Use.INSURANCE, Use.REFUND)}
    came_back = _moves(session, scope, Use.INSURANCE, [line for line in lines if line.amount > 0], came_in=True)
    held = _held(session, scope, out)
    for line in lines:
        fits, others = _by_what_the_text_says(by_hand.get(line.id, ()), suggestions[line.id])
        offers = [*fits, *(_suggested(matcher, one, names) for one in suggestions[line.id]), *others]
        if line.amount < 0:
            offers += held.get(line.id, [])
            offers += [shown for use in moves if (shown := _moved(line, use, moves[use]))]
        elif shown := _moved(line, Use.INSURANCE, came_back):
            offers.insert(0, shown)
        found[line.id] = [*offers, *_not_gift(line)] if line.state is LineState.OPEN else offers
    return found


def _suggested(matcher: Matcher, one: Suggestion, names: Mapping[UUID, str]) -> Shown:
    title = "; ".join(_share_words(matcher, share, names, many=len(one.shares) > 1) for share in one.shares)
    notes = [note for share in one.shares if (note := _note(matcher, share))]
    return Shown(title, [why_words(why) for why in one.whys], notes, "accept", {"shares": write_shares(one.shares)})


def _share_words(matcher: Matcher, share: Share, names: Mapping[UUID, str], *, many: bool) -> str:
    promise = matcher.promises.get(share.pledge_id) if share.pledge_id else None
    words = [names.get(share.sponsor_id, "")]
    words.append(promise.code if promise else _("without a promise"))
    return " · ".join([*words, _vnd(share.amount)] if many else words)


def _note(matcher: Matcher, share: Share) -> str | None:
    """Whether the money is part of what is expected, or more than it."""
    promise = matcher.promises.get(share.pledge_id) if share.pledge_id else None
    if promise is None:
        return None
    left = promise.expected - share.amount
    if left > 0:
        return str(_("A part: %(left)s of the promise are still to come.", left=_vnd(left)))
    if left < 0:
        return str(_("%(over)s more than promised: that stays available to the sponsor.", over=_vnd(-left)))
    return None


def why_words(why: Why) -> str:
    """A reason as a person reads it."""
    words = str(REASONS[why.reason]) % {"told": why.told}
    return f"{words} {SLIPS[why.slip]}" if why.slip else words


class Recorded(NamedTuple):
    """A receipt that somebody recorded by hand, as it is offered."""

    sponsor_id: UUID
    shown: Shown


def _by_what_the_text_says(
    recorded: Sequence[Recorded], suggestions: Sequence[Suggestion]
) -> tuple[list[Shown], list[Shown]]:
    """Receipts by hand to offer before the suggestions, and those to offer after them.

    Codes in the text name the sponsor: a receipt of another with the same amount is only a coincidence of amounts.
    """
    coded = [one for one in suggestions if any(why.reason in OF_CODES for why in one.whys)]
    named = {share.sponsor_id for one in coded for share in one.shares}
    fits = [one.shown for one in recorded if not named or one.sponsor_id in named]
    return fits, [one.shown for one in recorded if named and one.sponsor_id not in named]


def _by_hand(session: Session, scope: Scope, lines: Sequence[StatementLine]) -> dict[UUID, list[Recorded]]:
    """Receipts that somebody recorded by hand, of the same amount and nearly the same day."""
    came = [line for line in lines if line.amount > 0 and line.state is LineState.OPEN]
    if not came:
        return {}
    days = [line.posted_on for line in came]
    unseen = queries.receipts_unseen(
        session,
        scope.town_id,
        Receipt.amount.in_({line.amount for line in came}),
        Receipt.received_on.between(min(days) - queries.NEAR, max(days) + queries.NEAR),
    )
    names = queries.names_of(session, scope.town_id, {one.sponsor_id for one in unseen})
    found: dict[UUID, list[Recorded]] = {}
    for line in came:
        for one in unseen:
            if one.amount == line.amount and abs(one.received_on - line.posted_on) <= queries.NEAR:
                title = _("%(sponsor)s: recorded by hand already", sponsor=names[one.sponsor_id])
                why = _(
                    "A receipt “%(reference)s” of the same amount was recorded on %(day)s; nothing is booked again.",
                    reference=one.reference,
                    day=_day(one.received_on),
                )
                shown = Shown(str(title), [str(why)], [], "link", {"receipt_id": str(one.id)})
                found.setdefault(line.id, []).append(Recorded(one.sponsor_id, shown))
    return found


def _moves(
    session: Session, scope: Scope, use: Use, lines: Sequence[StatementLine], *, came_in: bool = False
) -> list[Moved]:
    if not lines:
        return []
    until = max(line.posted_on for line in lines) + queries.NEAR
    return queries.moves_unseen(session, scope.town_id, use, until, came_in=came_in)


def _moved(line: StatementLine, use: Use, moves: Sequence[Moved]) -> Shown | None:
    chosen = moved_as(queries.seen(line), moves)
    if not chosen:
        return None
    if line.amount > 0:
        title = _("Came back from the insurance fund")
    elif use is Use.INSURANCE:
        title = ngettext(
            "Paid to the insurance fund: %(num)s payment", "Paid to the insurance fund: %(num)s payments", len(chosen)
        )
    else:
        title = _("Returned to a sponsor")
    first, last = chosen[0].day, chosen[-1].day
    why = _(
        "The books have just this sum, from %(first)s to %(last)s.",
        first=_day(first),
        last=_day(last),
    )
    sends = {"use": use.value, "postings": " ".join(str(one.posting_id) for one in chosen)}
    return Shown(str(title), [str(why)], [], "moves", sends)


def _held(session: Session, scope: Scope, out: Sequence[StatementLine]) -> dict[UUID, list[Shown]]:
    """Held money of just the amount of a line that went out."""
    found: dict[UUID, list[Shown]] = {}
    if not out:
        return found
    for part, of in queries.held_open(session, scope, {-line.amount for line in out}):
        for line in out:
            if part.amount == -line.amount and of.posted_on <= line.posted_on:
                title = _("Sent back: what was held since %(day)s", day=_day(of.posted_on))
                why = _("The same amount came in then from %(payer)s.", payer=of.payer or of.payer_account or "—")
                found.setdefault(line.id, []).append(
                    Shown(str(title), [str(why)], [], "send_back", {"part_id": str(part.id)})
                )
    return found


def _not_gift(line: StatementLine) -> list[Shown]:
    told = not_a_gift(queries.seen(line))
    if told is None or told[0] in (Use.INSURANCE, Use.RETURNED):
        return []
    use, words = told
    titles = {
        Use.FEE: _("A fee of the bank"),
        Use.INTEREST: _("Interest of the bank"),
        Use.OWN_TRANSFER: _("Between our own accounts"),
        Use.OTHER: _("No sponsor's money: %(words)s", words=words),
    }
    why = _("The text has the words “%(words)s”.", words=words)
    return [Shown(str(titles[use]), [str(why)], [], "set_aside", {"use": use.value, "why": words})]
