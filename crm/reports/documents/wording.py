"""The first wording of a report, from its figures, as an office would write it; people change it before it is signed.

Everything is said from frozen figures, so the same figures always give the same sentences. The words are Vietnamese as
the paper is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from math import ceil
from typing import Any

from crm.reports.documents.rules import Head, Section, inside, period_words, written_day
from crm.reports.documents.sheets import PLACES_OF_A_PERCENT
from crm.reports.events.rules import EventKind
from crm.reports.periods import ReportKind
from crm.reports.rounds import consolidating, correcting
from crm.targets.rules import pace
from crm.web import filters

MOST_NAMED = 3
"""Wards, reasons or organisations named in a sentence."""
MONEY_WORDS = "đồng"

Facts = Mapping[str, Any]


def first_wording(facts: Facts, head: Head) -> dict[Section, str]:
    """Every section, its paragraphs one a line."""
    return {section: "\n".join(write(facts, head)) for section, write in _WRITERS.items()}


# ---- pieces


def people(number: int) -> str:
    return f"{filters.number(number)} người"


def dong(amount: int) -> str:
    return f"{filters.number(amount)} {MONEY_WORDS}"


def percent(part: int, whole: int) -> str:
    return filters.percent(part / whole, PLACES_OF_A_PERCENT)


def change(now: int, before: int) -> str:
    """«tăng 12 người», «giảm 3 người», «không thay đổi»."""
    if now == before:
        return "không thay đổi"
    return f"{'tăng' if now > before else 'giảm'} {people(abs(now - before))}"


def listed(words: Sequence[str]) -> str:
    """«a», «a và b», «a, b và c»."""
    return " và ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _when(facts: Facts) -> str:
    return period_words(ReportKind(facts["kind"]), facts["period"])


def _where(facts: Facts) -> str:
    return inside(facts["place"] or facts["town"])


def _as_of(facts: Facts) -> str:
    return f"{date.fromisoformat(facts['as_of']):%d/%m/%Y}"


def _rows(facts: Facts) -> list[dict[str, Any]]:
    """Biểu 01's rows with their words: name, target, now, percent."""
    table = facts["tables"][0]
    return [
        {
            "name": row[1],
            "target": row[2],
            "up": row[4] + row[5],
            "down": sum(row[6:9]),
            "now": row[11],
            "percent": row[12],
        }
        for row in table["rows"][:-1]
    ]


# ---- the sections


def _document(name: str) -> str:
    """A document as a sentence names it: a bare number gets its kind in front, where the number tells it."""
    if not name[:1].isdigit():
        return name
    return f"Kế hoạch số {name}" if "/KH" in name else f"văn bản số {name}"


def _opening(facts: Facts, head: Head) -> list[str]:
    target, what = facts["target"] or {}, "kết quả phát triển người tham gia bảo hiểm xã hội (BHXH) tự nguyện"
    plan = f"Thực hiện {_document(target['document'])}" if target.get("document") else ""
    of_whom = f" của {target['authority']}" if plan and target.get("authority") else ""
    start = f"{plan}{of_whom} về chỉ tiêu phát triển đối tượng tham gia BHXH, " if plan else ""
    issuer = head.issuer if facts["place"] or not head.superior else f"{head.issuer} {_where(facts)}"
    return [
        f"{start}{issuer} báo cáo {what} {_when(facts)} trên địa bàn {_where(facts)}, số liệu tính đến hết ngày {_as_of(facts)}, như sau:"
    ]


def _direction(facts: Facts, head: Head) -> list[str]:
    told = facts["told"]
    home, home_met = told.get("home_visit", [0, 0])
    others = {way: told.get(way, [0, 0]) for way in ("phone_call", "meeting", "event")}
    said = [
        "Các ngành, đoàn thể và địa phương tiếp tục tuyên truyền chính sách BHXH tự nguyện, trọng tâm là mức hỗ trợ tiền đóng của Nhà nước và quyền lợi lâu dài của người tham gia."
    ]
    parts = [f"{filters.number(home)} lượt đến hộ gia đình, tư vấn trực tiếp cho {people(home_met)}"] if home else []
    names = {
        "phone_call": "qua điện thoại",
        "meeting": "tại hội nghị, cuộc họp",
        "event": "tại sự kiện, điểm tuyên truyền",
    }
    parts += [f"{filters.number(tries)} lượt {names[way]}" for way, (tries, _met) in others.items() if tries]
    if parts:
        said.append(f"Trong kỳ, cộng tác viên của các tổ chức đã thực hiện {listed(parts)}.")
    else:
        said.append("Trong kỳ chưa ghi nhận lượt tư vấn nào.")
    if told["sent"]:
        refused = f"; {filters.number(told['refused'])} số máy từ chối nhận tin" if told["refused"] else ""
        said.append(
            f"Đã gửi {filters.number(told['sent'])} tin nhắn tuyên truyền, nhắc đóng, trong đó nhà mạng đã nhận {filters.number(told['taken'])} tin{refused}."
        )
    return [*said, *_events(facts), *consolidating.sentences(facts)]


_HELD: Mapping[EventKind, str] = {
    EventKind.MEETING: "buổi hội nghị, tuyên truyền",
    EventKind.DIALOGUE: "cuộc đối thoại với doanh nghiệp, hộ kinh doanh",
    EventKind.BROADCAST: "lượt phát thanh, truyền thanh",
    EventKind.LEAFLETS: "đợt phát tờ rơi, tài liệu",
    EventKind.STALL: "buổi tuyên truyền ở chợ, nơi công cộng",
}


def _events(facts: Facts) -> list[str]:
    """What was logged of meetings, broadcasts and leaflets: a sentence, or nothing where nothing was."""
    held = facts.get("events") or {}
    parts = []
    for kind, words in _HELD.items():
        one = held.get(kind.value)
        if one and one["times"]:
            came = f" với {filters.number(one['attended'])} lượt người dự" if one["attended"] else ""
            parts.append(f"{filters.number(one['times'])} {words}{came}")
    if not parts:
        return []
    handed = sum(one["leaflets"] for one in held.values())
    leaflets = f"; phát {filters.number(handed)} tờ rơi, tài liệu" if handed else ""
    return [f"Theo sổ sự kiện, trong kỳ đã tổ chức {listed(parts)}{leaflets}."]


def _number(facts: Facts, head: Head) -> list[str]:
    one = facts["total"]
    up, down = one["joined"] + one["returned"], one["left"]
    flow = f"Trong kỳ có {people(up)} tăng (tham gia mới, chuyển đến {people(one['joined'])}; đóng lại {people(one['returned'])})"
    flow = flow if up else "Trong kỳ không có người tăng"
    flow += f"{' và' if up else ', có'} {people(down)} giảm" if down else ", không có người giảm"
    if down:
        ways = (("stopped", "dừng đóng"), ("compulsory", "chuyển sang BHXH bắt buộc"), ("left_otherwise", "lý do khác"))
        flow += f" ({'; '.join(f'{words} {people(one[name])}' for name, words in ways if one[name])})"
    said = [
        f"Đến hết ngày {_as_of(facts)}, toàn địa bàn có {people(one['now'])} đang tham gia BHXH tự nguyện{_of_target(one)}."
        if not facts["place"]
        else f"Đến hết ngày {_as_of(facts)}, {_where(facts)} có {people(one['now'])} đang tham gia BHXH tự nguyện{_of_target(one)}.",
        f"{flow}.",
        f"So với đầu năm ({people(one['start_of_year'])}), số người tham gia {change(one['now'], one['start_of_year'])}: "
        f"lũy kế tăng {people(one['up'])}, giảm {people(one['down'])}.",
    ]
    if facts["compared"]:
        said.append(
            f"So với cùng kỳ năm trước ({people(one['year_before'])}), số người tham gia {change(one['now'], one['year_before'])}."
        )
    groups = (
        ("poor", "hộ nghèo"),
        ("near_poor", "hộ cận nghèo"),
        ("minority", "người dân tộc thiểu số"),
        ("others", "đối tượng khác"),
    )
    if one["now"]:
        said.append(
            f"Trong số người đang tham gia: {'; '.join(f'{words} {people(one[name])}' for name, words in groups)}."
        )
    return [*said, *consolidating.of_other_insurance(facts), *_corrected(facts), *correcting.sentences(facts)]


def _of_target(one: Mapping[str, Any]) -> str:
    return consolidating.of_target(one["now"], one["target"])


def _corrected(facts: Facts) -> list[str]:
    whole = [one for one in facts["corrections"] if one["measure"] == "now" and one["name"] == "Tổng cộng"]
    if not facts["corrections"]:
        return []
    told = [
        f"{one['period']} ({one['report']}) đã báo cáo {people(one['was'])}, nay là {people(one['now'])}"
        for one in whole
    ]
    detail = f": số đang tham gia cuối {'; '.join(told)}" if told else ""
    return [
        f"Số liệu của kỳ trước được điều chỉnh do ghi nhận muộn hoặc hủy ghi nhận{detail} (chi tiết tại Biểu điều chỉnh)."
    ]


def _places(facts: Facts, head: Head) -> list[str]:
    rows = _rows(facts)
    measured = sorted((row for row in rows if row["target"]), key=lambda row: (-row["percent"], row["name"]))
    if measured:
        best, rest = measured[:MOST_NAMED], measured[MOST_NAMED:][-MOST_NAMED:]
        said = [f"Đạt tỷ lệ cao so với chỉ tiêu: {listed([_with_percent(row) for row in best])}."]
        weak = [row for row in rest if row["now"] < row["target"]]
        return [*said, f"Đạt thấp: {listed([_with_percent(row) for row in reversed(weak)])}."] if weak else said
    grown = sorted((row for row in rows if row["up"]), key=lambda row: (-row["up"], row["name"]))[:MOST_NAMED]
    none = [row["name"] for row in rows if not row["up"]]
    said = []
    if grown:
        said.append(
            "Có người tham gia mới hoặc đóng lại nhiều nhất: "
            + listed([f"{row['name']} ({people(row['up'])})" for row in grown])
            + "."
        )
    if none and len(none) < len(rows):
        said.append(f"Chưa có người tham gia mới trong kỳ: {listed(none)}.")
    lost = sorted(
        (row for row in rows if row["down"] > row["up"]), key=lambda row: (row["up"] - row["down"], row["name"])
    )[:MOST_NAMED]
    if lost:
        said.append(
            "Số giảm nhiều hơn số tăng: "
            + listed([f"{row['name']} (giảm {people(row['down'])}, tăng {people(row['up'])})" for row in lost])
            + "."
        )
    return said or ["Trong kỳ các địa bàn không có người tham gia mới."]


def _with_percent(row: Mapping[str, Any]) -> str:
    return f"{row['name']} ({percent(row['now'], row['target'])}, {filters.number(row['now'])}/{people(row['target'])})"


def _organisations(facts: Facts, head: Head) -> list[str]:
    found = facts["organisations"]
    brought = [one for one in found if one["first_paid"]][:MOST_NAMED]
    said = []
    if brought:
        said.append(
            "Vận động được nhiều người đóng lần đầu: "
            + listed([f"{one['name']} ({people(one['first_paid'])})" for one in brought])
            + "."
        )
    went = sorted((one for one in found if one["home_visits"]), key=lambda one: (-one["home_visits"], one["name"]))[
        :MOST_NAMED
    ]
    if went:
        said.append(
            "Đến hộ gia đình nhiều nhất: "
            + listed([f"{one['name']} ({filters.number(one['home_visits'])} lượt)" for one in went])
            + "."
        )
    without = [one["name"] for one in found if one["met"] and not one["first_paid"]]
    if without and brought:
        said.append(f"Đã tư vấn nhưng trong kỳ chưa có người đóng lần đầu: {listed(without)}.")
    return said or ["Trong kỳ chưa ghi nhận kết quả theo tổ chức."]


def _sponsors(facts: Facts, head: Head) -> list[str]:
    said, paid, helped = [], facts["paid"], facts["helped"]
    found = facts.get("sponsors")
    if found and (found["received"] or found["promised"] or found["set_aside"]):
        said += _given(found)
    number = helped["poor"] + helped["near_poor"] + helped["others"]
    if number:
        said.append(
            f"Nguồn vận động giúp {people(number)} đóng BHXH tự nguyện (hộ nghèo {people(helped['poor'])}, cận nghèo {people(helped['near_poor'])}, khác {people(helped['others'])}), {filters.number(helped['months'])} tháng."
        )
    if paid["total"]:
        said.append(
            f"Tổng số tiền thu trong kỳ {dong(paid['total'])}: người tham gia tự đóng {dong(paid['own'])}, ngân sách nhà nước hỗ trợ {dong(paid['state'])}, ngân sách địa phương {dong(paid['local'])}, nguồn hỗ trợ khác {dong(paid['other'])}."
        )
    return said or ["Trong kỳ chưa phát sinh tiền đóng và hỗ trợ."]


def _given(found: Mapping[str, int]) -> list[str]:
    """What was promised, came in and was set aside, as far as there was any; what came in is missed where nothing did."""
    came = [f"cam kết thêm {dong(found['promised'])}"] if found["promised"] else []
    if found["received"]:
        came.append(f"đã ủng hộ {dong(found['received'])} ({filters.number(found['givers'])} nhà hỗ trợ)")
    said = [f"Các cơ quan, doanh nghiệp, nhà hảo tâm {'; '.join(came)}."] if came else []
    if found["set_aside"]:
        new = "" if found["received"] else "Trong kỳ không có khoản hỗ trợ mới; đã "
        said.append(f"{new or 'Đã '}phân bổ {dong(found['set_aside'])} từ nguồn vận động cho người tham gia.")
    return said


def _shortcomings(facts: Facts, head: Head) -> list[str]:
    one, said = facts["total"], []
    if one["target"] and one["now"] < one["target"]:
        said.append(f"Số người tham gia còn thiếu {people(one['target'] - one['now'])} so với chỉ tiêu giao năm.")
    if one["stopped"]:
        why = _because(facts["why_stopped"])
        said.append(f"Trong kỳ còn {people(one['stopped'])} dừng đóng{f', lý do chính: {why}' if why else ''}.")
    why = _because(facts["why_refused"])
    if why:
        said.append(f"Người được tư vấn còn băn khoăn hoặc từ chối, chủ yếu do: {why}.")
    behind = [row for row in _rows(facts) if row["down"] > row["up"]]
    if behind and not facts["place"]:
        said.append(f"Có {filters.number(len(behind))} xã, phường số giảm nhiều hơn số tăng trong kỳ.")
    return said or ["Không có tồn tại đáng kể."]


def _because(found: Sequence[Sequence[Any]]) -> str:
    return "; ".join(f"{inside_sentence(words)} ({people(number)})" for words, number in found[:MOST_NAMED])


def inside_sentence(words: str) -> str:
    """A sentence's beginning as it stands inside another."""
    return words[:1].lower() + words[1:]


def _tasks(facts: Facts, head: Head) -> list[str]:
    one, as_of = facts["total"], date.fromisoformat(facts["as_of"])
    said = []
    if one["target"] and one["now"] < one["target"]:
        left = pace(one["start_of_year"], one["now"], one["target"], as_of)
        speed = ""
        if left.needed is not None and left.needed >= 1:
            speed = f", bình quân mỗi tháng tăng thuần ít nhất {people(ceil(left.needed))}"
        elif left.needed is None:
            short = one["target"] - one["now"]
            speed = f": trong {filters.number(left.days)} ngày còn lại phải tăng thuần {people(short)}"
        if left.days:
            said.append(f"Phấn đấu đến 31/12/{as_of.year} đạt chỉ tiêu {people(one['target'])}{speed}.")
    said += _next_year(facts)
    if facts["due_after"]:
        said.append(
            f"Nhắc và hỗ trợ {people(facts['due_after'])} đến hạn đóng trong 30 ngày tới tiếp tục tham gia, không để gián đoạn."
        )
    if one["stopped"]:
        said.append("Gặp lại những người vừa dừng đóng để vận động đóng lại.")
    weak = sorted(
        (row for row in _rows(facts) if row["target"] and row["now"] < row["target"]),
        key=lambda row: (row["percent"], row["name"]),
    )
    if weak:
        said.append(f"Tập trung chỉ đạo các địa bàn đạt thấp: {listed([row['name'] for row in weak[:MOST_NAMED]])}.")
    return [
        *said,
        "Tiếp tục tuyên truyền, tư vấn trực tiếp tại hộ gia đình; vận động tổ chức, cá nhân hỗ trợ tiền đóng cho người thuộc hộ nghèo, hộ cận nghèo.",
    ]


def _next_year(facts: Facts) -> list[str]:
    """The target of the year after, in the report of a year; nothing where it is not set yet."""
    ahead = facts.get("next_target")
    if not ahead:
        return []
    more = ahead["people"] - facts["total"]["now"]
    than_now = f", tăng thuần {people(more)} so với hiện nay" if more > 0 else ""
    return [f"Năm {ahead['year']} phấn đấu có {people(ahead['people'])} tham gia BHXH tự nguyện{than_now}."]


def _proposals(facts: Facts, head: Head) -> list[str]:
    left, said = (facts.get("sponsors") or {}).get("left", 0), []
    if left > 0:
        said.append(
            f"Đề nghị rà soát, phân bổ {dong(left)} kinh phí vận động còn lại cho người thuộc hộ nghèo, hộ cận nghèo chưa tham gia."
        )
    sent = facts.get("amendments")
    if sent:
        said.append(
            f"Trong kỳ Mặt trận Tổ quốc đã tổng hợp, gửi {listed(sent['to'])} {filters.number(sent['sent'])} kiến nghị sửa đổi, bổ sung chính sách từ cơ sở; đề nghị xem xét, trả lời."
        )
    return said or ["Không."]


_WRITERS: Mapping[Section, Callable[[Facts, Head], list[str]]] = {
    Section.OPENING: _opening,
    Section.DIRECTION: _direction,
    Section.NUMBER: _number,
    Section.PLACES: _places,
    Section.ORGANISATIONS: _organisations,
    Section.SPONSORS: _sponsors,
    Section.SHORTCOMINGS: _shortcomings,
    Section.TASKS: _tasks,
    Section.PROPOSALS: _proposals,
}


def closing(head: Head) -> str:
    """The sentence before «./.»."""
    return f"Trên đây là báo cáo của {head.issuer}"


def dated(head: Head, day: date | None) -> str:
    """«Bỉm Sơn, ngày 05 tháng 01 năm 2019»; before it is signed a gap for the day."""
    return f"{head.locality}, {written_day(day) if day else 'ngày     tháng     năm'}"
