"""What units reported, put together for the official report: a table of who reported, one of their own figures with their
sources, and sentences. What is missing is named. The words are Vietnamese as the paper is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.queries import Scope
from crm.accounts.rules import Reach
from crm.places.models import Place
from crm.reports.documents.sheets import NUMBER, PLACE, PLACES_OF_A_PERCENT, WORDS, Column, Sheet, sheet
from crm.reports.periods import ReportKind
from crm.reports.rounds import correcting
from crm.reports.rounds.models import ReportingRound, ReportOwed
from crm.reports.rounds.queries import Line, lines_of
from crm.reports.rounds.rules import ASKED, AT_A_DATE, ON_PAPER, Figure, Own, State, Sum, Told, late_by, together
from crm.web import filters

MOST_OWED = 2_000
MOST_NAMED = 12
IN_A_SENTENCE: Mapping[Own, str] = {
    Own.COMPULSORY: "người tham gia BHXH bắt buộc",
    Own.UNEMPLOYMENT: "người tham gia bảo hiểm thất nghiệp",
    Own.EMPLOYERS: "doanh nghiệp, hộ kinh doanh được rà soát",
    Own.INSPECTIONS: "cuộc kiểm tra người sử dụng lao động",
    Own.DIALOGUES: "cuộc đối thoại với doanh nghiệp, hộ kinh doanh",
    Own.SESSIONS: "hội nghị, buổi tuyên truyền",
    Own.ATTENDED: "lượt người dự",
    Own.BROADCASTS: "lượt phát thanh, truyền thanh",
    Own.LEAFLETS: "tờ rơi, tài liệu được phát",
}
ON_PAPER_STATES = {
    State.WAITING: "Chưa gửi",
    State.RETURNED: "Trả lại, chưa gửi lại",
    State.EXCUSED: "Không phải báo cáo",
}


def lines_for(
    session: Session, town_id: Any, kind: ReportKind, period: str, place: Place | None
) -> tuple[ReportingRound | None, list[Line]]:
    """The round of a report's period and its units: all of them for the town, a ward's own for its report."""
    row = session.scalar(
        select(ReportingRound).where(
            ReportingRound.town_id == town_id, ReportingRound.kind == kind, ReportingRound.period == period
        )
    )
    if row is None:
        return None, []
    scope = Scope(town_id, user_id=town_id, reach=Reach.ALL, organisation_id=None, place_ids=None)
    if place is None:
        return row, lines_of(session, scope, row, most=MOST_OWED)
    owed = session.scalar(
        select(ReportOwed).where(
            ReportOwed.town_id == town_id, ReportOwed.round_id == row.id, ReportOwed.place_id == place.id
        )
    )
    lines = lines_of(session, scope, row, most=MOST_OWED) if owed else []
    return row, [one for one in lines if owed is not None and one.owed.id == owed.id]


def told_of(lines: Sequence[Line]) -> list[Told]:
    """What each unit told; what was returned and not sent again counts as not told."""
    return [
        Told(one.name, one.who, one.last.figures if one.last and one.owed.state is State.SUBMITTED else None)
        for one in lines
        if one.owed.state is not State.EXCUSED
    ]


def _holding(session: Session, row: ReportingRound, lines: Sequence[Line]) -> list[Told]:
    """What holds of each unit of a round: what it told, and over it what was put right once the round was closed."""
    told = told_of(lines)
    if row.closed_at is None:
        return told
    owed = [one.owed for one in lines if one.owed.state is not State.EXCUSED]
    later = correcting.by_unit(session, row.town_id, [one.id for one in owed])
    holds = []
    for unit, one in zip(owed, told, strict=True):
        right = {put.figure: Figure(put.number, put.source) for put in later.get(unit.id, ())}
        holds.append(one._replace(own={**(one.own or {}), **right}) if right else one)
    return holds


def add_to(
    session: Session, town_id: Any, kind: ReportKind, period: str, place: Place | None, facts: dict[str, Any]
) -> None:
    """Put the round's tables and figures into a report's facts; nothing where there was no round of the period."""
    row, lines = lines_for(session, town_id, kind, period, place)
    if row is None or not lines:
        return
    told = told_of(lines)
    sums = {own: one for own, one in together(told).items() if _asked(own, told)}
    now = together(_holding(session, row, lines))
    put_right = {own: {"holds": now[own].number} for own, one in sums.items() if now[own].number != one.number}
    facts["reported"] = {
        "due_on": row.due_on.isoformat(),
        "owed": len(told),
        "came": sum(one.own is not None for one in told),
        "missing": [one.name for one in told if one.own is None],
        "returned": [one.name for one in lines if one.owed.state is State.RETURNED],
        "early": [one.name for one in lines if one.early(row)],
        "late": [one.name for one in lines if one.came_on and late_by(row.due_on, one.came_on, one.came_on)],
        "figures": {
            own.value: {"number": one.number, "silent": list(one.silent)} | put_right.get(own, {})
            for own, one in sums.items()
        },
    }
    if place is None:
        facts["tables"].append(_who_reported(row, lines))
    facts["tables"].append(_figures(sums))


def _asked(own: Own, told: Sequence[Told]) -> bool:
    return any(own in ASKED[one.who] for one in told)


def _who_reported(row: ReportingRound, lines: Sequence[Line]) -> Sheet:
    columns = [
        Column("TT", PLACE, width=4),
        Column("Đơn vị", WORDS, width=30),
        Column("Tình hình", WORDS, width=18),
        Column("Ngày gửi", WORDS, width=12),
        Column("Lần gửi", NUMBER, width=7),
        Column("Mã kiểm tra", WORDS, width=14),
        Column("Đang tham gia BHXH tự nguyện khi gửi", NUMBER, width=14),
    ]
    rows = [_unit(place, row, one) for place, one in enumerate(lines, start=1)]
    return sheet(
        "Biểu 07",
        "Tình hình gửi báo cáo của các đơn vị",
        "Đơn vị, người",
        columns,
        rows,
        total=False,
        notes=[
            f"Hạn gửi {row.due_on:%d/%m/%Y}.",
            "Số đang tham gia do chương trình chốt tại thời điểm đơn vị gửi; của tổ chức là số người do tổ chức vận động.",
        ],
    )


def _unit(place: int, row: ReportingRound, one: Line) -> list[Any]:
    came, last = one.came_on, one.last
    late = late_by(row.due_on, came, came) if came else 0
    early = one.early(row)
    on_time = f"Trước khi hết kỳ, số liệu đến {early:%d/%m/%Y}" if early else "Đúng hạn"
    state = ON_PAPER_STATES.get(one.owed.state) or (f"Muộn {late} ngày" if late else on_time)
    return [
        place,
        one.name,
        state,
        f"{came:%d/%m/%Y}" if came else "",
        one.owed.version or None,
        last.digest[:8] if last else "",
        last.known["now"] if last else None,
    ]


def _figures(sums: Mapping[Own, Sum]) -> Sheet:
    columns = [
        Column("TT", PLACE, width=4),
        Column("Nội dung", WORDS, width=34),
        Column("Đơn vị tính", WORDS, width=11),
        Column("Số lượng", NUMBER, width=11),
        Column("Nguồn số liệu", WORDS, width=46),
        Column("Chưa có số liệu của", WORDS, width=30),
    ]
    rows = []
    for place, (own, one) in enumerate(sums.items(), start=1):
        words, unit = ON_PAPER[own]
        rows.append([place, words, unit, one.number, _sources(one), _shortly(one.silent)])
    return sheet(
        "Biểu 08",
        "Số liệu do các đơn vị tự báo cáo",
        "Người, cuộc, lượt",
        columns,
        rows,
        total=False,
        notes=[
            "Chương trình không theo dõi các số liệu này; đơn vị báo cáo chịu trách nhiệm về nguồn.",
            "Số người tham gia lấy theo cơ quan BHXH; nơi cơ quan BHXH chưa báo cáo thì cộng số của các xã, phường.",
            "Hoạt động do đơn vị nào chủ trì thì đơn vị ấy báo cáo, tính một lần.",
        ],
    )


def _sources(one: Sum) -> str:
    told = [f"{name}: {filters.number(figure.number)} ({figure.source})" for name, figure in one.told if figure.number]
    apart = f"; các xã, phường cộng lại {filters.number(one.apart)}" if one.apart is not None else ""
    return f"{'; '.join(told)}{apart}"


def _shortly(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    return "; ".join(names[:MOST_NAMED]) + (f" và {more} đơn vị khác" if more > 0 else "")


# ---- sentences


def sentences(facts: Mapping[str, Any]) -> list[str]:
    """What the text says of what units led themselves, and of who has not reported."""
    told = facts.get("reported")
    if not told:
        return []
    said = []
    done = [_amount(own, told) for own in Own if own not in AT_A_DATE and _number(own, told)]
    if done:
        said.append(f"{_by_whom(facts)}, trong kỳ có {'; '.join(done)} (chi tiết tại Biểu 08).")
    if not facts["place"]:
        said.append(
            f"Đến ngày chốt số liệu có {told['came']}/{told['owed']} đơn vị gửi báo cáo" + f"{_not_there(told)}."
        )
    return said


def _not_there(told: Mapping[str, Any]) -> str:
    """Who has not reported, and apart from these who was asked for a correction and who sent figures of a part only."""
    back = told.get("returned", [])
    silent = [name for name in told["missing"] if name not in back]
    early = told.get("early", [])
    said = (
        ("chưa gửi", silent),
        ("đã trả lại để sửa, chưa gửi lại", back),
        ("gửi khi chưa hết kỳ, chưa bổ sung", early),
    )
    return "".join(f"; {words}: {_shortly(names)}" for words, names in said if names)


def of_other_insurance(facts: Mapping[str, Any]) -> list[str]:
    """What the text says of compulsory and unemployment insurance: the number that was told, or that none was."""
    told = facts.get("reported")
    if not told:
        return []
    there = [own for own in AT_A_DATE if own.value in told["figures"]]
    plan = facts.get("plan", {})
    known = [
        _with_correction(own, told)
        + of_target(_holds(told["figures"][own.value]) or 0, plan.get(own.value, {}).get("target"))
        for own in there
        if _holds(told["figures"][own.value]) is not None
    ]
    unknown = [ON_PAPER[own][0] for own in there if _holds(told["figures"][own.value]) is None]
    said = [f"{_by_whom(facts)}: {'; '.join(known)} (nguồn số liệu tại Biểu 08)."] if known else []
    return said + ([f"Chưa có số liệu báo cáo: {'; '.join(unknown)}."] if unknown else [])


def _holds(one: Mapping[str, Any]) -> int | None:
    """The number that holds of a figure: the one put right, else the one told."""
    number: int | None = one.get("holds", one["number"])
    return number


def _with_correction(own: Own, told: Mapping[str, Any]) -> str:
    """The number that was told and the one put right; where none was told, the latter alone."""
    one = told["figures"][own.value]
    if "holds" not in one:
        return _amount(own, told)
    holds = filters.number(one["holds"])
    if one["number"] is None:
        return f"{holds} {IN_A_SENTENCE[own]} (số sau đính chính)"
    return f"{_amount(own, told)} (sau đính chính là {holds} người)"


def of_target(reached: int, target: int | None) -> str:
    """«, đạt 94,16% chỉ tiêu giao năm (12.850 người), còn thiếu 750 người»; nothing where there is no target."""
    if not target:
        return ""
    short, share = target - reached, filters.percent(reached / target, PLACES_OF_A_PERCENT)
    ahead = f"còn thiếu {filters.number(short)} người" if short > 0 else "đạt chỉ tiêu"
    ahead = f"vượt {filters.number(-short)} người" if short < 0 else ahead
    return f", đạt {share} chỉ tiêu giao năm ({filters.number(target)} người), {ahead}"


def _by_whom(facts: Mapping[str, Any]) -> str:
    return "Theo số liệu tự theo dõi của đơn vị" if facts["place"] else "Theo báo cáo của các đơn vị"


def _number(own: Own, told: Mapping[str, Any]) -> int:
    return told["figures"].get(own.value, {}).get("number") or 0


def _amount(own: Own, told: Mapping[str, Any]) -> str:
    return f"{filters.number(_number(own, told))} {IN_A_SENTENCE[own]}"
