"""A figure of a unit's own that was wrong in a closed round: what was told stays, the right one is kept beside it with the
reason, and both go into the next official report. Once each: what a signed report told, no later one of its place tells.

The register's own figures need none of this: a report counts them again and tells what differs (Biểu điều chỉnh).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import Uuid, and_, func, or_, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from crm.accounts.models import Organisation, User
from crm.errors import Conflict, RuleBroken
from crm.lines import line
from crm.places.models import Place
from crm.reports.documents.models import Report, ReportSnapshot
from crm.reports.documents.rules import FINAL, period_words
from crm.reports.documents.sheets import NUMBER, PLACE, WORDS, Column, Sheet, sheet
from crm.reports.periods import ReportKind
from crm.reports.rounds.models import ReportCorrection, ReportingRound, ReportOwed, ReportSubmission
from crm.reports.rounds.rules import ASKED, LONGEST_WHY, ON_PAPER, Own, State, Who, check_own, ends
from crm.reports.rounds.services import note_act
from crm.web import filters

MOST_SHOWN = 200
"""Corrections that stand on a page, the latest."""
MOST_NAMED = 3
"""Of them in a sentence."""
CHANGED_MEANWHILE = "changed_meanwhile"
"""The code of the refusal of whoever has not read what others put right."""


def holding(session: Session, owed: ReportOwed) -> dict[Own, int]:
    """What holds of each figure of a unit: the last correction of it, else what was sent last. What was returned and not
    sent again holds no more."""
    of_unit = (ReportSubmission.town_id == owed.town_id, ReportSubmission.owed_id == owed.id)
    stands = owed.state is State.SUBMITTED
    last = select(ReportSubmission).where(*of_unit, ReportSubmission.version == owed.version)
    sent = session.scalar(last) if stands else None
    told = {own: one.number for own, one in sent.figures.items()} if sent else {}
    return told | {row.figure: row.number for row in _rows(session, owed.town_id, [owed.id])}


def correct(
    session: Session,
    owed: ReportOwed,
    row: ReportingRound,
    figure: Own,
    number: int,
    source: str | None,
    why: str | None,
    *,
    who: Who,
    read: int,
    by: User,
    at: datetime,
) -> ReportCorrection:
    """Put a figure of a closed round right; `read` is how many corrections of the unit were there to be read. Raises
    RuleBroken, and Conflict while the round is open or when somebody else has corrected meanwhile."""
    if row.closed_at is None:
        raise Conflict(
            _l("This round is still open: send a correction of the whole report instead."), code="round_open"
        )
    if owed.state is State.EXCUSED:
        raise Conflict(_l("This unit need not report in this round."), code="excused")
    if figure not in ASKED[who]:
        raise RuleBroken(_l("This unit is not asked for this figure."), field="figure", code="not_asked")
    before = _rows(session, owed.town_id, [owed.id])
    if read != len(before):
        raise Conflict(
            _l("Somebody else has corrected this report meanwhile. Look at theirs, then correct it if needed."),
            code=CHANGED_MEANWHILE,
        )
    try:
        kept = check_own({figure: (number, source)}, who)[figure]
    except RuleBroken as broken:
        field = (broken.field or "").partition("_")[0]
        raise RuleBroken(broken.message, field=field or None, code=broken.code) from broken
    was = holding(session, owed).get(figure)
    if was == kept.number:
        raise RuleBroken(_l("This is the figure that stands already. Write the right one."), field="number")
    of_figure = [one for one in before if one.figure is figure]
    made = ReportCorrection(
        town_id=owed.town_id,
        owed_id=owed.id,
        figure=figure,
        position=len(of_figure) + 1,
        follows=len(of_figure) or None,
        was=was,
        number=kept.number,
        source=kept.source,
        why=line(why, LONGEST_WHY, "why", _l("Write why it was wrong.")),
        corrected_at=at,
        corrected_by_id=by.id,
    )
    session.add(made)
    session.flush()
    told = {"figure": figure.value, "was": was, "now": made.number}
    note_act(session, owed.town_id, owed.id, "report_corrected", by, at, **told)
    return made


def _rows(session: Session, town_id: UUID, owed_ids: Collection[UUID]) -> Sequence[ReportCorrection]:
    """Every correction of these units, in the order in which they were made."""
    query = select(ReportCorrection).where(ReportCorrection.town_id == town_id, ReportCorrection.owed_id.in_(owed_ids))
    return session.scalars(query.order_by(ReportCorrection.corrected_at, ReportCorrection.id)).all()


def by_unit(session: Session, town_id: UUID, owed_ids: Collection[UUID]) -> dict[UUID, list[ReportCorrection]]:
    """The corrections of some units of a round, of each in their order."""
    found: dict[UUID, list[ReportCorrection]] = {}
    for row in _rows(session, town_id, owed_ids):
        found.setdefault(row.owed_id, []).append(row)
    return found


class Put(NamedTuple):
    """A correction, whose it is, of which round, and who made it."""

    row: ReportCorrection
    unit: str
    round: ReportingRound
    by: str


def _put() -> Any:
    return (
        select(ReportCorrection, func.coalesce(Place.name, Organisation.name), ReportingRound, User.full_name)
        .join(
            ReportOwed, and_(ReportOwed.town_id == ReportCorrection.town_id, ReportOwed.id == ReportCorrection.owed_id)
        )
        .join(
            ReportingRound,
            and_(ReportingRound.town_id == ReportOwed.town_id, ReportingRound.id == ReportOwed.round_id),
        )
        .join(User, and_(User.town_id == ReportCorrection.town_id, User.id == ReportCorrection.corrected_by_id))
        .outerjoin(Place, and_(Place.town_id == ReportOwed.town_id, Place.id == ReportOwed.place_id))
        .outerjoin(
            Organisation,
            and_(Organisation.town_id == ReportOwed.town_id, Organisation.id == ReportOwed.organisation_id),
        )
        .order_by(ReportCorrection.corrected_at.desc(), ReportCorrection.id.desc())
    )


def how_many(session: Session, owed: ReportOwed) -> int:
    """How many corrections there are of one unit's report: whoever corrects has read so many."""
    of_unit = (ReportCorrection.town_id == owed.town_id, ReportCorrection.owed_id == owed.id)
    return session.scalar(select(func.count()).select_from(ReportCorrection).where(*of_unit)) or 0


def of_unit(session: Session, owed: ReportOwed) -> list[Put]:
    """What was put right of one unit's report, the last first, as a page shows it."""
    query = _put().where(ReportCorrection.town_id == owed.town_id, ReportCorrection.owed_id == owed.id)
    return [Put(*found) for found in session.execute(query.limit(MOST_SHOWN))]


def of_round(session: Session, row: ReportingRound) -> list[Put]:
    """What was put right of a round, the last first, as a page shows it."""
    query = _put().where(ReportOwed.town_id == row.town_id, ReportOwed.round_id == row.id)
    return [Put(*found) for found in session.execute(query.limit(MOST_SHOWN))]


# ---- in the next report


def add_to(
    session: Session,
    town_id: UUID,
    kind: ReportKind,
    period: str,
    place: Place | None,
    as_of: date,
    facts: dict[str, Any],
) -> None:
    """Put what was put right into a report's facts: of rounds whose period was over by its last day, without what any other
    signed report told already, however long ago. A ward's report has its own alone."""
    told = _told_before(town_id, kind, period, place)
    query = _put().where(ReportCorrection.town_id == town_id, ReportCorrection.id.not_in(told))
    if place is not None:
        query = query.where(ReportOwed.place_id == place.id)
    found = [Put(*one) for one in session.execute(query)]
    new = [one for one in reversed(found) if min(_last_day(one.round), one.round.due_on) <= as_of]
    if not new:
        return
    facts["put_right"] = [
        {
            "id": str(one.row.id),
            "unit": one.unit,
            "period": period_words(one.round.kind, one.round.period),
            "figure": one.row.figure.value,
            "was": one.row.was,
            "now": one.row.number,
            "source": one.row.source,
            "why": one.row.why,
        }
        for one in new
    ]
    facts["tables"].append(_sheet(facts["put_right"]))


def _told_before(town_id: UUID, kind: ReportKind, period: str, place: Place | None) -> Any:
    """The corrections in signed reports of the same place, but not in the report itself when it is counted again."""
    lines = func.jsonb_array_elements(ReportSnapshot.facts["put_right"], type_=JSONB)
    return (
        select(lines["id"].astext.cast(Uuid))
        .select_from(ReportSnapshot)
        .join(Report, and_(Report.town_id == ReportSnapshot.town_id, Report.snapshot_id == ReportSnapshot.id))
        .where(
            Report.town_id == town_id,
            Report.place_id.is_not_distinct_from(place.id if place else None),
            Report.state.in_(FINAL),
            or_(Report.kind != kind, Report.period != period),
        )
    )


def _last_day(row: ReportingRound) -> date:
    return ends(ReportKind(row.kind), row.period)[1]


def _sheet(lines: Sequence[Mapping[str, Any]]) -> Sheet:
    columns = [
        Column("TT", PLACE, width=4),
        Column("Đơn vị", WORDS, width=22),
        Column("Kỳ báo cáo", WORDS, width=16),
        Column("Nội dung", WORDS, width=30),
        Column("Đã báo cáo", NUMBER, width=10),
        Column("Nay là", NUMBER, width=10),
        Column("Chênh lệch", NUMBER, width=10),
        Column("Lý do, nguồn số liệu", WORDS, width=34),
    ]
    rows = [
        [
            place,
            one["unit"],
            one["period"],
            ON_PAPER[Own(one["figure"])][0],
            one["was"],
            one["now"],
            one["now"] - one["was"] if one["was"] is not None else None,
            f"{one['why']} ({one['source']})" if one["source"] else one["why"],
        ]
        for place, one in enumerate(lines, start=1)
    ]
    return sheet(
        "Biểu 08a",
        "Đính chính số liệu do các đơn vị tự báo cáo",
        "Người, cuộc, lượt",
        columns,
        rows,
        total=False,
        notes=["Kỳ báo cáo đã khóa giữ nguyên số đã gửi; số đúng nêu tại đây."],
    )


def sentences(facts: Mapping[str, Any]) -> list[str]:
    """What the text says of it, with the old figure and the new one."""
    lines = facts.get("put_right", ())
    if not lines:
        return []
    told = [
        f"{one['unit']}, {one['period']}, {_inside(ON_PAPER[Own(one['figure'])][0])}: {_was(one['was'])}, "
        f"nay là {filters.number(one['now'])}"
        for one in lines[:MOST_NAMED]
    ]
    return [f"Đính chính số liệu đơn vị đã báo cáo: {'; '.join(told)} (chi tiết tại Biểu 08a)."]


def _was(number: int | None) -> str:
    return f"đã báo cáo {filters.number(number)}" if number is not None else "chưa báo cáo"


def _inside(words: str) -> str:
    return words[:1].lower() + words[1:]
