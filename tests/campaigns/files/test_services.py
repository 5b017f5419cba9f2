"""The second way out: a message stands in one file at most, and what the gateway says of it counts once, forwards."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from crm import clock
from crm.campaigns.files import queries
from crm.campaigns.files.models import SmsFile
from crm.campaigns.files.rules import (
    Became,
    FileState,
    NumberForm,
    ResultField,
    Told,
    became,
    field_of,
    number_as,
    read_reference,
    reference,
)
from crm.campaigns.files.services import making, results
from crm.campaigns.models import Message, MessageStatus
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.rules.texts import promotion_fault
from crm.campaigns.rules.ways import Way
from crm.campaigns.services import dispatching, launching
from crm.db import transaction
from crm.errors import Conflict, RuleBroken
from crm.prospects.queries.facts import consents_of
from crm.prospects.rules import ConsentChannel, Purpose
from tasks import files as tasks
from tests.campaigns.files.conftest import Gateway


def test_rules_of_files() -> None:
    assert (number_as("+84912345678", NumberForm.ZERO), number_as("+84912345678", NumberForm.EIGHTY_FOUR)) == (
        "0912345678",
        "84912345678",
    )
    assert read_reference(" as12-34 ") == Told(12, 34)
    assert read_reference(reference(7, 1)) == Told(7, 1)
    assert read_reference("AS12") is read_reference("12-34") is None
    assert field_of("Trạng thái gửi") is ResultField.STATUS
    assert field_of("Request_ID") is ResultField.REFERENCE
    assert field_of("Số điện thoại") is ResultField.NUMBER
    words = {"Thành công": "delivered", "Không thành công": "failed", "DELIVRD": "delivered", "Chờ gửi": "not_yet"}
    words |= {"Thuê bao từ chối quảng cáo (DNC)": "refused", "Nhà mạng từ chối": "failed", "Blacklist": "failed"}
    assert {word: became(word) for word in words} == {word: Became(meant) for word, meant in words.items()}
    assert became("X17") is None


def test_a_promotion_says_what_it_is_first_and_how_to_refuse_last() -> None:
    assert promotion_fault("Moi ba Hoa") is not None
    assert promotion_fault("[QC] Moi ba Hoa. Tu choi: http://a.vn/o/x, cam on", "http://a.vn/o/x") is not None
    assert promotion_fault("[QC] Moi ba Hoa. Tu choi: http://a.vn/o/x.", "http://a.vn/o/x") is None


@pytest.mark.parametrize(
    ("way", "body"), [("twilio", "[QC] Moi"), ("brandname", "Moi")], ids=["through twilio", "without its label"]
)
def test_the_database_refuses_a_promotion_that_is_against_the_law(
    session: Session, gateway: Gateway, way: str, body: str
) -> None:
    person = gateway.texting.person()
    with pytest.raises(IntegrityError), session.begin_nested():
        gateway.texting.message(person, purpose=Purpose.PROMOTION, way=way, body=body)


def test_a_launched_promotion_waits_for_a_file_and_twilio_does_not_get_it(session: Session, gateway: Gateway) -> None:
    gateway.texting.person("Nguyễn Thị An")
    campaign = gateway.texting.campaign(purpose=Purpose.PROMOTION)
    gateway.texting.launch(campaign)
    assert dispatching.claim(session, at_most=100, at=clock.now()) == []
    file = gateway.make()
    [row] = gateway.rows(file)
    assert row["message"].startswith("[QC] Moi ong/ba An")
    assert (row["request_id"], row["type"], row["phone"][:2]) == ("AS1-1", "QC", "84")


def test_a_message_stands_in_one_file_and_counts_from_its_handing_over(session: Session, gateway: Gateway) -> None:
    messages = gateway.waiting(3)
    file = gateway.make()
    session.expire_all()
    assert (file.number, file.messages, file.state) == (1, 3, FileState.OUT)
    assert [message.state for message in messages] == [Delivery.HANDED_OVER] * 3
    assert sorted(message.file_line or 0 for message in messages) == [1, 2, 3]
    assert messages[0].claimed_at == file.made_at
    assert gateway.make().state is FileState.EMPTY
    person = session.get_one(type(gateway.texting.make.prospect()), (file.town_id, messages[0].prospect_id))
    for _more in range(2):
        gateway.texting.message(person, state=Delivery.SENT, claimed_at=clock.now())
    gateway.texting.message(person, purpose=Purpose.PROMOTION, body="[QC] lan bon")
    assert queries.could_go(session, file.town_id, Purpose.PROMOTION, clock.now()) == 0, "the 4th within 24 hours"
    tomorrow = clock.now() + timedelta(hours=24, seconds=1)
    session.execute(text("update message set expires_at = expires_at + interval '3 days' where state = 'queued'"))
    assert queries.could_go(session, file.town_id, Purpose.PROMOTION, tomorrow) == 1


@pytest.mark.parametrize("hour", [6, 22])
def test_no_file_is_made_at_night(session: Session, gateway: Gateway, hour: int) -> None:
    [message] = gateway.waiting(
        not_before=clock.at(clock.today()), expires_at=clock.at(clock.today() + timedelta(days=2))
    )
    late = clock.at(clock.today(), hour)
    file_id = making.ask(session, gateway.town_id, Purpose.PROMOTION, by_id=None, at=late)
    making.make(session, gateway.town_id, file_id, at=late)
    assert session.get_one(SmsFile, (gateway.town_id, file_id)).state is FileState.EMPTY
    assert message.state is Delivery.QUEUED


def test_who_said_no_meanwhile_stands_in_no_file(session: Session, gateway: Gateway) -> None:
    first, second = gateway.waiting(2)
    gateway.texting.says(str(first.phone), False, Purpose.PROMOTION, at=clock.now())
    assert gateway.make().messages == 1
    session.expire_all()
    assert (first.state, second.state) == (Delivery.QUEUED, Delivery.HANDED_OVER)


def test_a_number_stands_in_a_file_once(session: Session, gateway: Gateway) -> None:
    [first] = gateway.waiting()
    gateway.texting.message(
        session.get_one(type(gateway.texting.make.prospect()), (gateway.town_id, first.prospect_id)),
        purpose=Purpose.PROMOTION,
        body="[QC] them mot tin",
    )
    assert gateway.make().messages == 1
    assert gateway.make().messages == 1, "the other goes in the next"


def test_what_a_file_held_never_changes(session: Session, gateway: Gateway) -> None:
    gateway.waiting()
    file = gateway.make()
    for change in ("content = 'x'", "number = 9", "messages = 7"):
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(text(f"update sms_file set {change} where id = :id"), {"id": file.id})
    with pytest.raises(ProgrammingError), session.begin_nested():
        session.execute(text("delete from sms_file where id = :id"), {"id": file.id})


@pytest.mark.committed
def test_two_who_ask_at_once_get_one_file(app: Flask, session: Session, gateway: Gateway) -> None:
    gateway.waiting(20)
    town_id, by_id, now = gateway.town_id, gateway.by.id, clock.now()
    session.commit()
    asked: list[UUID] = []

    def press() -> None:
        with app.app_context():
            with transaction() as mine:
                asked.append(making.ask(mine, town_id, Purpose.PROMOTION, by_id=by_id, at=now))
            for _twice in range(2):
                with transaction() as mine:
                    making.make(mine, town_id, asked[-1], at=now)

    both = [Thread(target=press) for _one in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    session.expire_all()
    handed = select(func.count()).where(Message.state == Delivery.HANDED_OVER)
    assert session.scalar(handed) == 20
    out = session.scalars(select(SmsFile).where(SmsFile.state == FileState.OUT)).all()
    assert [file.messages for file in out] == [20], "whoever came second got the same file, or an empty one"


def test_results_count_once_however_often_they_come_and_only_forwards(session: Session, gateway: Gateway) -> None:
    messages = gateway.waiting(4)
    file = gateway.make()
    refs = [row["request_id"] for row in gateway.rows(file)]
    said = ["Thành công", "Thất bại", "Đang xử lý", "Đã gửi"]
    first = "Mã yêu cầu;Số thuê bao;Trạng thái\n" + "".join(
        f"{ref};0;{word}\n" for ref, word in zip(refs, said, strict=True)
    )
    told = gateway.hand_back(f"{first}AS9-9;0901;Thành công\nlạ;0902;Thành công\n")
    assert (told.rows, told.settled, told.same, told.unknown) == (6, 4, 0, 2)
    assert [place for place, _said in told.problems["rows"]] == [6, 7]
    by_line = sorted(messages, key=lambda one: one.file_line or 0)
    expected = [Delivery.DELIVERED, Delivery.UNDELIVERED, Delivery.HANDED_OVER, Delivery.SENT]
    assert [one.state for one in by_line] == expected
    assert gateway.hand_back(f"{first}AS9-9;0901;Thành công\nlạ;0902;Thành công\n").id == told.id
    again = gateway.hand_back(first, "kq (1).csv")
    assert (again.settled, again.same) == (0, 4)
    later = first.replace("Đang xử lý", "Thành công").replace("Thất bại", "Thành công").replace("Đã gửi", "Đang xử lý")
    third = gateway.hand_back(later, "kq-moi.csv")
    assert third.settled == 3
    assert [one.state for one in by_line] == [
        Delivery.DELIVERED,
        Delivery.UNDELIVERED,
        Delivery.DELIVERED,
        Delivery.SENT,
    ], "what was final stays, what was sent does not wait again"
    assert session.scalar(select(func.count()).select_from(MessageStatus)) == 7


def test_a_number_on_the_national_list_is_never_asked_again_for_promotions(session: Session, gateway: Gateway) -> None:
    refused, other = gateway.waiting(2)
    gateway.make()
    later = gateway.texting.message(
        gateway.texting.person(), purpose=Purpose.PROMOTION, body=refused.body, phone=refused.phone
    )
    line = f"AS{session.get_one(SmsFile, (gateway.town_id, refused.file_id)).number}-{refused.file_line}"
    gateway.hand_back(f"Mã yêu cầu;Trạng thái\n{line};Số thuộc danh sách DNC\n")
    assert (refused.state, refused.reason) == (Delivery.UNDELIVERED, Reason.BLOCKED)
    assert (later.state, later.reason) == (Delivery.CANCELLED, Reason.OPTED_OUT)
    assert other.state is Delivery.HANDED_OVER
    said = consents_of(session, gateway.town_id, refused.phone or "")[Purpose.PROMOTION]
    assert (said.given, said.channel, said.words) == (False, ConsentChannel.DO_NOT_CALL, "so thuoc danh sach dnc")
    assert consents_of(session, gateway.town_id, refused.phone or "")[Purpose.SERVICE].given, (
        "reminders are no promotions"
    )


def test_columns_and_words_are_remembered(session: Session, gateway: Gateway) -> None:
    gateway.waiting(1)
    file = gateway.make()
    text_ = "cot1,cot2\nAS1-1,X17\n"
    act = {"file_id": file.id, "by_id": gateway.by.id, "at": clock.now()}
    taken = results.take_in(session, gateway.town_id, "a.csv", text_.encode(), **act)
    with pytest.raises(RuleBroken):
        results.confirm(session, taken, taken.found["columns"], {}, at=clock.now())
    columns = {"A": "reference", "B": "status"}
    with pytest.raises(RuleBroken):
        results.confirm(session, taken, columns, {}, at=clock.now())
    results.confirm(session, taken, columns, {"x17": "failed"}, at=clock.now())
    next_one = results.take_in(session, gateway.town_id, "b.csv", b"cot1,cot2\nAS1-2,X17\n", **act)
    assert next_one.found["columns"] == columns
    assert results.words_in(next_one, columns)["x17"][2] is Became.FAILED


def test_on_the_page_of_a_file_a_number_is_enough(session: Session, gateway: Gateway) -> None:
    [message] = gateway.waiting()
    file = gateway.make()
    told = gateway.hand_back(f"Số điện thoại,Kết quả\n'{str(message.phone)[3:]},OK\n".replace("'", ""), file=file)
    assert (told.settled, message.state) == (1, Delivery.DELIVERED)
    with pytest.raises(RuleBroken):
        gateway.hand_back("Số điện thoại,Kết quả\n0912000000,OK\n")


def test_what_is_no_table_is_refused(gateway: Gateway) -> None:
    for content in ("", "%PDF-1.7"):
        with pytest.raises(RuleBroken):
            gateway.hand_back(content)


def test_a_file_that_was_never_uploaded_is_taken_back_once(session: Session, gateway: Gateway) -> None:
    messages = gateway.waiting(2)
    file = gateway.make()
    assert making.take_back(session, file, "cổng báo lỗi", by=gateway.by, at=clock.now()) == 2
    assert [one.state for one in messages] == [Delivery.QUEUED] * 2
    with pytest.raises(Conflict):
        making.take_back(session, file, "lần nữa", by=gateway.by, at=clock.now())
    second = gateway.make()
    assert (second.number, second.messages) == (2, 2)
    assert second.digest != file.digest
    late = gateway.hand_back("ref,status\nAS1-1,OK\n")
    assert (late.unknown, late.settled) == (1, 0), "of a file that was not uploaded there can be no results"
    gateway.hand_back("ref,status\nAS2-1,OK\n")
    with pytest.raises(Conflict):
        making.take_back(session, second, "không", by=gateway.by, at=clock.now())


def test_what_was_called_off_meanwhile_does_not_wait_again(session: Session, gateway: Gateway) -> None:
    gateway.texting.person("Nguyễn Thị An")
    campaign = gateway.texting.campaign(purpose=Purpose.PROMOTION)
    gateway.texting.launch(campaign)
    file = gateway.make()
    launching.cancel(session, campaign, clock.now())
    making.take_back(session, file, "không tải lên", by=gateway.by, at=clock.now())
    assert session.scalars(select(Message.state).where(Message.campaign_id == campaign.id)).all() == ["cancelled"]


def test_what_waits_goes_the_other_way_when_the_town_chooses_it(session: Session, gateway: Gateway) -> None:
    service = gateway.texting.message(gateway.texting.person())
    values = {
        "twilio": False,
        "brandname": True,
        "service_way": Way.BRANDNAME,
        "service_sender": "ANSINH",
        "promotion_sender": None,
        "number_form": NumberForm.ZERO,
        "columns": {"number": "so", "text": "noi dung", "sender": "ten"},
        "by_night": False,
    }
    making.choose_ways(session, gateway.town_id, values, by=gateway.by, at=clock.now())
    assert dispatching.claim(session, at_most=10, at=clock.now()) == []
    [row] = gateway.rows(gateway.make(Purpose.SERVICE))
    assert row == {"so": "0" + str(service.phone)[3:], "noi dung": "Hen gap ba Hoa", "ten": "ANSINH"}
    for wrong in ({"service_way": Way.TWILIO}, {"columns": {"number": "so"}}, {"service_sender": "Thương hiệu"}):
        with pytest.raises(RuleBroken):
            making.choose_ways(session, gateway.town_id, values | wrong, by=gateway.by, at=clock.now())


def test_the_tasks_may_run_twice(
    app: Flask, session: Session, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "ring", lambda task, *ids: task.run(*ids))
    gateway.waiting(2)
    ways = queries.ways_of(session, gateway.town_id)
    ways.by_night = True
    session.add(ways)
    session.commit()
    for _twice in range(2):
        tasks.by_themselves.run()
        tasks.resume.run()
    [file] = session.scalars(select(SmsFile)).all()
    assert (file.messages, file.asked_by_id) == (2, None)
    act = {"file_id": None, "by_id": gateway.by.id, "at": clock.now() - timedelta(hours=1)}
    taken = results.take_in(session, gateway.town_id, "a.csv", b"ref,status\nAS1-1,OK\n", **act)
    results.confirm(session, taken, taken.found["columns"], {}, at=clock.now() - timedelta(hours=1))
    town_id, file_id, results_id = str(gateway.town_id), str(file.id), str(taken.id)
    session.commit()
    tasks.resume.run()
    tasks.load_results.run(town_id, results_id)
    tasks.make_file.run(town_id, file_id)
    session.expire_all()
    assert (taken.state, taken.settled, file.messages) == ("loaded", 1, 2)
