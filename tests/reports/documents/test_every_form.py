"""Every number of every form of a year's report, and every sentence of its text, of a small town counted by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.campaigns.models import Message
from crm.campaigns.rules.delivery import Delivery
from crm.emulation import queries as emulation
from crm.emulation.services import propose
from crm.months import Month
from crm.participation.rules import Span
from crm.prospects.models import Consent
from crm.prospects.rules import ConsentChannel, Purpose
from crm.reports.documents.queries import finding
from crm.reports.documents.rules import Section
from crm.reports.events.rules import EventKind, Happened
from crm.reports.events.services import log
from crm.reports.periods import ReportKind
from crm.reports.rounds import services as rounds
from crm.reports.rounds.rules import Own, Who
from crm.sponsors import services as sponsoring
from tests.factories import Make
from tests.participation.stories import join, pay
from tests.reports.documents.stories import opened
from tests.reports.documents.test_counted_by_hand import AT, town
from tests.reports.rounds.test_life import owed_by, sent
from tests.sponsors.stories import allocate, poor, sponsor

__all__ = ["town"]
SEPTEMBER = date(2019, 9, 10)
MILLION = 1_000_000


@pytest.fixture
def paper(town: dict[str, Any], make: Make, session: Session, at_time: Callable[..., None]) -> Any:
    """The town of test_counted_by_hand.py on 3 October 2019, and besides:

    Chín of Bắc Sơn joined on 4 September and paid again on the 25th. Công ty An Bình promised 5 million, gave 3, and carries
    three months of a poor person who has not joined yet. Ba Đình held one meeting with 45 people and 30 leaflets; the
    loudspeaker spoke 12 times. Two messages left, one arrived; one number said no. The year's round is open: Ba Đình told
    310 in compulsory insurance and 4 sessions, the insurance office 12,100. The Women's Union is proposed for commendation.
    """
    at_time(AT)
    manager, north = make.user(Role.MANAGER), make.ward("14809@2019-10-15")
    nine = make.prospect("Người Chín", place=north)
    join(nine, date(2019, 9, 4), months=1)
    pay(nine, date(2019, 9, 25), months=1)
    giver = sponsor(make, "Công ty An Bình")
    act: dict[str, Any] = {"by_id": None, "on": SEPTEMBER, "at": clock.at(SEPTEMBER, 10)}
    pledge = sponsoring.pledge(session, giver, 5 * MILLION, due=None, **act)
    sponsoring.receive(session, giver, 3 * MILLION, reference="A1", pledge=pledge, **act)
    allocate(giver, poor(make), months=3, start=Month(2019, 10), on=SEPTEMBER, at=clock.at(SEPTEMBER, 10))
    for kind, times, attended, leaflets in ((EventKind.MEETING, 1, 45, 30), (EventKind.BROADCAST, 12, 0, 0)):
        held = Happened(kind, SEPTEMBER, "Khu phố 3", None, times, attended, leaflets, None)
        log(session, uuid4(), make.ward().id, held, by=manager, at=AT)
    for state in (Delivery.DELIVERED, Delivery.UNDELIVERED):
        make.add(message(make, town["Ba"], state))
    make.add(
        Consent(
            town_id=make.town.id,
            phone=make.phone(),
            purpose=Purpose.SERVICE,
            given=False,
            channel=ConsentChannel.PHONE_CALL,
            at=clock.at(SEPTEMBER, 9),
            words=None,
            prospect_id=None,
            recorded_at=AT,
            recorded_by_id=manager.id,
        )
    )
    row = rounds.open_round(session, manager.town_id, ReportKind.YEAR, "2019", by=manager, at=AT)
    sent(session, owed_by(session, row, make.ward().id), row, manager)
    told = {Own.COMPULSORY: (12_100, "phần mềm quản lý thu")}
    sent(session, owed_by(session, row, make.organisation("BHXH").id), row, manager, who=Who.INSURANCE, own=told)
    (standing,) = [
        one
        for one in emulation.organisations(session, scope_of(session, manager), Span.year_to(AT.date()))
        if one.one.key == make.organisation().id
    ]
    propose(session, manager.town_id, standing, who="organisation", as_of=AT.date(), by=manager, at=AT)
    return finding.paper_of(session, opened(session, manager, AT, ReportKind.YEAR, "2019"))


def message(make: Make, person: Any, state: Delivery) -> Message:
    """A reminder that left on 20 September, and what became of it."""
    left = clock.at(date(2019, 9, 20), 9)
    return Message(
        town_id=person.town_id,
        purpose=Purpose.SERVICE,
        state=state,
        prospect_id=person.id,
        phone=make.phone(),
        body="Nhac dong",
        reminder=f"due {state}",
        local_day=left.date(),
        not_before=left,
        expires_at=left,
        made_at=left,
        claimed_at=left,
    )


NOUGHT = [0] * 9
COUNTED: dict[str, list[list[Any]]] = {
    # target, start of year, joined, returned, stopped, compulsory, other, up, down, now, percent, ±, poor, near, minority, others
    "Biểu 01": [
        [1, "Phường Ba Đình", 10, 2, 2, 1, 1, 1, 0, 3, 2, 3, 30.0, 3, 1, 1, 0, 1, ""],
        [2, "Phường Bắc Sơn", None, 0, 1, 0, 0, 0, 0, 1, 0, 1, None, 1, 0, 0, 0, 1, ""],
        [3, "Phường Đông Sơn", 4, 1, 2, 0, 1, 0, 0, 2, 1, 2, 50.0, 1, 0, 0, 1, 1, ""],
        *(
            [place, name, None, *NOUGHT, None, 0, 0, 0, 0, 0, ""]
            for place, name in enumerate(
                ("Phường Lam Sơn", "Phường Ngọc Trạo", "Phường Phú Sơn", "Xã Hà Lan", "Xã Quang Trung"), start=4
            )
        ),
        [None, "Tổng cộng", 1385, 3, 5, 1, 2, 1, 0, 6, 3, 6, 0.43, 5, 1, 1, 1, 3, ""],
    ],
    # joined, returned, left, taking part at the end: Năm in March, Bảy in August, Ba and Chín in September, Tám in October
    "Biểu 01a": [
        ["01/2019", 0, 0, 0, 3],
        ["02/2019", 0, 0, 0, 3],
        ["03/2019", 1, 0, 0, 4],
        *([f"{month:02}/2019", 0, 0, 0, 4] for month in range(4, 8)),
        ["08/2019", 1, 0, 0, 5],
        ["09/2019", 2, 1, 3, 5],
        ["10/2019 (đến 03/10)", 1, 0, 0, 6],
        ["Cả kỳ", 5, 1, 3, 6],
    ],
    "Biểu 01b": [
        [1, "Người tham gia BHXH tự nguyện", 1385, 6, 0.43, -1379, "Sổ theo dõi của chương trình (Biểu 01)"],
        [2, "Người tham gia BHXH bắt buộc", 12_850, 12_100, 94.16, -750, "Các đơn vị báo cáo (Biểu 08)"],
        [3, "Người tham gia bảo hiểm thất nghiệp", 12_695, None, None, None, "Chưa có số liệu báo cáo"],
    ],
    # volunteers, home visits, met, again, registered, first paid, kept 6, kept 12, due, went on, reminded, lapsed, percent. Of
    # no organisation: Năm took part until 20 September, six months after 4 March and more; Tám, Chín joined; Chín paid again.
    "Biểu 02": [
        [1, "Hội Liên hiệp Phụ nữ", 1, 3, 3, 2, 0, 2, "–", "–", 1, 0, 1, 1, 66.67],
        [2, "Chưa rõ tổ chức", 0, 0, 0, 0, 0, 3, "1/1", "–", 1, 1, 0, 0, None],
        [None, "Tổng cộng", 1, 3, 3, 2, 0, 5, "1/1", "–", 2, 1, 1, 1, 66.67],
    ],
    # promised, brought forward, received, set aside (3 × 107.800), given back, poor, near-poor, others, months, left, paid
    "Biểu 03": [
        [1, "Công ty An Bình", "Doanh nghiệp", 5 * MILLION, 0, 3 * MILLION, 323_400, 0, 1, 0, 0, 3, 2_676_600, 0, ""],
        [None, "Tổng cộng", "", 5 * MILLION, 0, 3 * MILLION, 323_400, 0, 1, 0, 0, 3, 2_676_600, 0, ""],
    ],
    "Biểu 04": [
        [1, "Tư vấn tại hộ gia đình", "lượt", 3, 2, ""],
        [2, "Tư vấn qua điện thoại", "lượt", 1, 1, ""],
        [3, "Tư vấn tại hội nghị, cuộc họp", "lượt", 1, 1, ""],
        [4, "Tư vấn tại sự kiện, điểm tuyên truyền", "lượt", 0, 0, ""],
        [5, "Hội nghị, buổi tuyên truyền", "buổi", 1, None, "45 lượt người dự; 30 tờ rơi"],
        [6, "Phát thanh, truyền thanh", "lượt", 12, None, ""],
        [7, "Tin nhắn đã gửi", "tin", 2, None, ""],
        [None, "– nhà mạng đã nhận", "tin", 1, None, "không có nghĩa là đã đọc"],
        [None, "– không tới được", "tin", 1, None, ""],
        [None, "– chưa rõ kết quả", "tin", 0, None, ""],
        [8, "Số máy từ chối nhận tin", "số máy", 1, None, ""],
    ],
    # payments, people, months, own, state (10 % of the floor), local, other, total: 154.000 a month
    "Biểu 05": [
        [1, "Phường Bắc Sơn", 2, 1, 2, 277_200, 30_800, 0, 0, 308_000],
        [None, "Tổng cộng", 2, 1, 2, 277_200, 30_800, 0, 0, 308_000],
    ],
    "Biểu 06": [
        [
            1,
            "Hội Liên hiệp Phụ nữ",
            None,
            "Đến 03/10/2019: 2 người tham gia mới hoặc đóng lại, 1 người dừng, 5 lượt gặp",
            "Giấy khen",
            1,
        ]
    ],
}


def test_every_form_is_counted_by_hand(paper: Any) -> None:
    tables = {one["form"]: one["rows"] for one in paper.facts["tables"]}
    assert sorted(tables) == sorted([*COUNTED, "Biểu 07", "Biểu 08"]), "a new form is counted by hand as well"
    for form, rows in COUNTED.items():
        assert tables[form] == rows, form


def test_who_reported_and_what_they_told_is_counted_by_hand(paper: Any) -> None:
    tables = {one["form"]: one["rows"] for one in paper.facts["tables"]}
    came = {row[1]: (*row[2:5], row[6]) for row in tables["Biểu 07"] if row[2] != "Chưa gửi"}
    # state, day, times sent, taking part: three in Ba Đình; the insurance office brought nobody in
    on_time = ("Đúng hạn", "03/10/2019", 1)
    assert came == {"Phường Ba Đình": (*on_time, 3), "Bảo hiểm xã hội thị xã": (*on_time, 0)}
    assert len(tables["Biểu 07"]) == 20, "seven wards and thirteen organisations"
    assert {tuple(row[3:]) for row in tables["Biểu 07"] if row[2] == "Chưa gửi"} == {("", None, "", None)}
    told = {row[1]: row[3] for row in tables["Biểu 08"]}
    assert {words: number for words, number in told.items() if number is not None} == {
        "Số người tham gia BHXH bắt buộc": 12_100,
        "Hội nghị, buổi tuyên truyền": 4,
    }
    assert len(told) == 9


def test_every_number_of_the_text_is_counted_by_hand(paper: Any) -> None:
    text = {section: paper.text[section] for section in Section}
    direction = text[Section.DIRECTION].splitlines()[1:]
    assert direction[:4] == [
        "Trong kỳ, cộng tác viên của các tổ chức đã thực hiện 3 lượt đến hộ gia đình, tư vấn trực tiếp cho 2 người, "
        "1 lượt qua điện thoại và 1 lượt tại hội nghị, cuộc họp.",
        "Đã gửi 2 tin nhắn tuyên truyền, nhắc đóng, trong đó nhà mạng đã nhận 1 tin; 1 số máy từ chối nhận tin.",
        "Theo sổ sự kiện, trong kỳ đã tổ chức 1 buổi hội nghị, tuyên truyền với 45 lượt người dự và 12 lượt phát thanh, "
        "truyền thanh; phát 30 tờ rơi, tài liệu.",
        "Theo báo cáo của các đơn vị, trong kỳ có 4 hội nghị, buổi tuyên truyền (chi tiết tại Biểu 08).",
    ]
    assert direction[4].startswith("Đến ngày chốt số liệu có 2/20 đơn vị gửi báo cáo; chưa gửi: Phường Bắc Sơn; ")
    assert direction[4].endswith(" và 6 đơn vị khác."), "twelve of eighteen are named"
    assert text[Section.NUMBER].splitlines() == [
        "Đến hết ngày 03/10/2019, toàn địa bàn có 6 người đang tham gia BHXH tự nguyện, đạt 0,43% chỉ tiêu giao năm "
        "(1.385 người), còn thiếu 1.379 người.",
        "Trong kỳ có 6 người tăng (tham gia mới, chuyển đến 5 người; đóng lại 1 người) và 3 người giảm (dừng đóng 2 người; "
        "chuyển sang BHXH bắt buộc 1 người).",
        "So với đầu năm (3 người), số người tham gia tăng 3 người: lũy kế tăng 6 người, giảm 3 người.",
        "So với cùng kỳ năm trước (1 người), số người tham gia tăng 5 người.",
        "Trong số người đang tham gia: hộ nghèo 1 người; hộ cận nghèo 1 người; người dân tộc thiểu số 1 người; đối tượng "
        "khác 3 người.",
        "Theo báo cáo của các đơn vị: 12.100 người tham gia BHXH bắt buộc, đạt 94,16% chỉ tiêu giao năm (12.850 người), còn "
        "thiếu 750 người (nguồn số liệu tại Biểu 08).",
        "Chưa có số liệu báo cáo: Số người tham gia bảo hiểm thất nghiệp.",
    ]
    assert text[Section.PLACES] == (
        "Đạt tỷ lệ cao so với chỉ tiêu: Phường Đông Sơn (50%, 2/4 người) và Phường Ba Đình (30%, 3/10 người)."
    )
    assert text[Section.ORGANISATIONS].splitlines() == [
        "Vận động được nhiều người đóng lần đầu: Hội Liên hiệp Phụ nữ (2 người).",
        "Đến hộ gia đình nhiều nhất: Hội Liên hiệp Phụ nữ (3 lượt).",
    ]
    assert text[Section.SPONSORS].splitlines() == [
        "Các cơ quan, doanh nghiệp, nhà hảo tâm cam kết thêm 5.000.000 đồng; đã ủng hộ 3.000.000 đồng (1 nhà hỗ trợ).",
        "Đã phân bổ 323.400 đồng từ nguồn vận động cho người tham gia.",
        "Nguồn vận động giúp 1 người đóng BHXH tự nguyện (hộ nghèo 1 người, cận nghèo 0 người, khác 0 người), 3 tháng.",
        "Tổng số tiền thu trong kỳ 308.000 đồng: người tham gia tự đóng 277.200 đồng, ngân sách nhà nước hỗ trợ 30.800 đồng, "
        "ngân sách địa phương 0 đồng, nguồn hỗ trợ khác 0 đồng.",
    ]
    assert text[Section.SHORTCOMINGS].splitlines() == [
        "Số người tham gia còn thiếu 1.379 người so với chỉ tiêu giao năm.",
        "Trong kỳ còn 2 người dừng đóng.",
        "Người được tư vấn còn băn khoăn hoặc từ chối, chủ yếu do: chưa có tiền (1 người).",
    ]
    # 89 of the year's 365 days are left: 2.926 months; 1,379 / 2.926 = 471.3
    assert text[Section.TASKS].splitlines()[:3] == [
        "Phấn đấu đến 31/12/2019 đạt chỉ tiêu 1.385 người, bình quân mỗi tháng tăng thuần ít nhất 472 người.",
        "Gặp lại những người vừa dừng đóng để vận động đóng lại.",
        "Tập trung chỉ đạo các địa bàn đạt thấp: Phường Ba Đình và Phường Đông Sơn.",
    ]
    assert text[Section.PROPOSALS] == (
        "Đề nghị rà soát, phân bổ 2.676.600 đồng kinh phí vận động còn lại cho người thuộc hộ nghèo, hộ cận nghèo chưa tham gia."
    )
