"""The wizard, the look at everybody, the campaign's page and templates, as people use them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import ChangeRecord
from crm.accounts.rules import Role
from crm.campaigns.models import Campaign, Message, SmsSettings
from crm.campaigns.preflight import checking
from crm.campaigns.rules.places import SAMPLES
from crm.campaigns.rules.refused import refused_in
from crm.campaigns.rules.stages import Stage
from crm.campaigns.rules.texts import is_lawful
from crm.campaigns.services import drafting, sending
from crm.campaigns.templating.queries import template as template_of
from crm.campaigns.templating.rules import Registered
from crm.campaigns.templating.services import add_template, register
from crm.prospects.rules import Purpose
from tests.campaigns.conftest import Texting

SignedIn = Callable[..., FlaskClient]


def only(session: Session) -> Campaign:
    session.expire_all()
    return session.scalars(select(Campaign)).one()


def follow(client: FlaskClient, url: str, **fields: Any) -> str:
    answer = client.post(url, data=fields, follow_redirects=True)
    assert answer.status_code == 200, answer.get_data(as_text=True)[:3000]
    return answer.get_data(as_text=True)


def test_a_campaign_is_made_step_by_step_mended_by_a_tap_and_sent(
    session: Session, texting: Texting, signed_in: SignedIn
) -> None:
    texting.person("Nguyễn Thị An", birth_year=1960, sex="female")
    texting.person("Trần Văn Hải", agrees=False)
    organiser = signed_in(Role.ORGANISER)
    assert "Gửi cho ai" in organiser.get("/campaigns/new").get_data(as_text=True)
    page = follow(
        organiser, "/campaigns/new", name="Tháng 10", purpose="service", list="", place="", stage="", standing=""
    )
    assert "Nội dung" in page
    here = f"/campaigns/{only(session).id}"
    version = only(session).version
    follow(organiser, f"{here}/what", text="Chào {xung_ho} {ten}", accented="y", version=version)
    assert only(session).accented
    page = follow(organiser, f"{here}/when", begins="now", control_percent="0", follow_days="30", version=version + 1)
    assert "Chào bà An" in page
    assert "Gửi không dấu: bớt được" not in page  # a short text costs the same both ways
    page = organiser.get(f"{here}/preflight?problem=no_consent").get_data(as_text=True)
    assert "Trần Văn Hải" in page
    assert "Nguyễn Thị An</a>" not in page
    page = organiser.get(f"{here}/preflight?problem=message").get_data(as_text=True)
    assert "Nguyễn Thị An</a>" in page
    assert "Trần Văn Hải" not in page
    page = follow(organiser, f"{here}/mend", how="plain")
    assert "Chao ba An" in page
    page = follow(organiser, f"{here}/launch")
    assert only(session).stage is Stage.RUNNING
    assert "Đã cho gửi" in page
    assert session.scalars(select(Message.body).where(Message.state == "queued")).all() == ["Chao ba An"]
    assert "Trần Văn Hải" in organiser.get(f"{here}/people?which=excluded&reason=no_consent").get_data(as_text=True)
    for which in ("waiting", "left", "joined", "opted_out", "nonsense"):
        assert organiser.get(f"{here}/people?which={which}").status_code == 200
    assert organiser.get(f"{here}/progress").json == {
        "done": 0,
        "total": 1,
        "text": "0 trên 1 tin đã gửi hoặc đã xong.",
        "finished": False,
    }
    assert organiser.get(f"{here}/preflight").status_code == 302


def test_what_stands_twice_and_signs_that_cost_are_mended_by_a_tap(
    session: Session, texting: Texting, signed_in: SignedIn
) -> None:
    texting.person("Nguyễn Thị An")
    organiser = signed_in(Role.ORGANISER)
    here = f"/campaigns/{texting.campaign('Mời bà {xung_ho} {ten} ở phường {phuong} 🎉, đóng {so_tien} đồng').id}"
    organiser.post(f"{here}/check")
    page = organiser.get(f"{here}/preflight").get_data(as_text=True)
    assert "Có từ bị lặp" in page
    assert "Bỏ 🎉" in page
    for how in ("once", "signs"):
        organiser.post(f"{here}/mend", data={"how": how})
    page = organiser.get(f"{here}/preflight").get_data(as_text=True)
    assert only(session).text == "Mời {xung_ho} {ten} ở {phuong}, đóng {so_tien}"
    assert "Có từ bị lặp" not in page
    assert "Bỏ 🎉" not in page


def test_two_who_press_at_once_are_told_on_the_campaigns_page(texting: Texting, signed_in: SignedIn) -> None:
    texting.person()
    campaign, organiser = texting.campaign(), signed_in(Role.ORGANISER)
    texting.launch(campaign)
    here = f"/campaigns/{campaign.id}"
    for act, told in (("pause", False), ("pause", True), ("resume", False), ("resume", True), ("cancel", False)):
        assert ("nên không làm việc này được" in follow(organiser, f"{here}/{act}")) is told
    assert "Quá giờ này tin chưa đi thì thôi" not in organiser.get(here).get_data(as_text=True)


def test_a_promotion_says_that_somebody_has_to_make_its_file(texting: Texting, signed_in: SignedIn) -> None:
    texting.person()
    campaign, organiser = texting.campaign(purpose=Purpose.PROMOTION), signed_in(Role.ORGANISER)
    assert "đi bằng tệp" in follow(organiser, f"/campaigns/{campaign.id}/check")
    page = follow(organiser, f"/campaigns/{campaign.id}/launch")
    assert "1 tin đang chờ tạo tệp" in page
    assert "máy vẫn làm tiếp" not in page


def test_somebody_who_looked_at_an_older_campaign_does_not_overwrite_a_newer_one(
    session: Session, texting: Texting, signed_in: SignedIn
) -> None:
    here, one = f"/campaigns/{texting.campaign().id}", signed_in(Role.ORGANISER)
    assert one.post(f"{here}/what", data={"text": "Một", "version": "1"}).status_code == 303
    answer = one.post(f"{here}/what", data={"text": "Hai", "version": "1"})
    assert answer.status_code == 422
    assert "người khác đã sửa" in answer.get_data(as_text=True)
    assert only(session).text == "Một"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"begins": "later"}, "Hãy chọn ngày"),
        ({"begins": "later", "day": "2019-10-15", "time": "23:30"}, "Chỉ được gửi tin từ 07:00"),
        ({"begins": "later", "day": "2019-10-14", "time": "10:00"}, "đã qua"),
        ({"begins": "now", "last_day": "2019-10-14"}, "Ngày cuối"),
        ({"begins": "now", "budget": "0"}, ""),
    ],
)
def test_a_time_that_cannot_be_is_refused_where_it_was_typed(
    texting: Texting, signed_in: SignedIn, fields: dict[str, str], words: str
) -> None:
    here = f"/campaigns/{texting.campaign().id}"
    answer = signed_in(Role.ORGANISER).post(
        f"{here}/when", data={"control_percent": "0", "follow_days": "30", **fields}
    )
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)


def test_a_second_person_approves_what_the_first_asked(session: Session, texting: Texting, signed_in: SignedIn) -> None:
    admin = signed_in(Role.ADMIN)
    told = {"opens": "08:00", "closes": "20:00", "price": "800", "approve_messages": "0"}
    assert "Đã lưu cài đặt" in follow(admin, "/messages/settings", **told)
    assert admin.post("/messages/settings", data=told | {"opens": "05:00"}).status_code == 422
    assert sending.settings_of(session, texting.make.town.id).price == 800
    texting.person()
    here, organiser = f"/campaigns/{texting.campaign().id}", signed_in(Role.ORGANISER)
    assert "Số tin này phải có hai người" in follow(organiser, f"{here}/check")
    assert "phải có hai người. Hãy xin người thứ hai duyệt" in follow(organiser, f"{here}/launch")
    assert only(session).stage is Stage.DRAFT
    assert "Phải chờ" in follow(organiser, f"{here}/ask", words="Gấp").replace("phải chờ", "Phải chờ")
    asked = session.scalars(select(checking.CampaignCheck)).one()
    manager = signed_in(Role.MANAGER)
    assert "Chờ duyệt" in manager.get("/campaigns").get_data(as_text=True)
    page = manager.get(f"{here}/preflight").get_data(as_text=True)
    assert "Duyệt và gửi 1" in page
    link = page.split(f'action="{here}/approve/')[1].split('"')[0]
    for _page in ("/messages", "/campaigns"):
        assert "Số đợt tin chờ anh/chị duyệt: 1" in manager.get(_page).text
        assert "anh/chị duyệt" not in organiser.get(_page).text, "whoever asked cannot decide"
    menu = manager.get("/people").text.split('href="/messages"')[1].split("</a>")[0]
    assert ">1<" in menu
    answer = manager.post(f"{here}/refuse/{link}", data={"words": ""})
    assert answer.status_code == 422
    assert "Hãy ghi vì sao" in answer.text.split("error-summary")[1][:400]
    assert manager.post(f"{here}/approve/{link}").status_code == 303
    assert "Đã duyệt và cho gửi" in manager.get(here).get_data(as_text=True)
    assert (only(session).stage, only(session).check_id) == (Stage.RUNNING, asked.id)


def test_nobody_sees_how_a_draft_would_go_who_may_not_send_it(texting: Texting, signed_in: SignedIn) -> None:
    here = f"/campaigns/{texting.campaign().id}"
    for role in (Role.AUDITOR, Role.LEAD, Role.VOLUNTEER):
        assert signed_in(role).get(f"{here}/preflight").status_code == 403
    assert signed_in(Role.AUDITOR).get(here).status_code == 200


def test_a_template_has_versions_and_what_the_carrier_said(
    session: Session, texting: Texting, signed_in: SignedIn
) -> None:
    organiser = signed_in(Role.ORGANISER)
    page = follow(
        organiser, "/message-templates/new", name="Mời", purpose="promotion", text="Mời {ten}. Nhà nước hỗ trợ"
    )
    assert "Tin quảng cáo phải bắt đầu bằng [QC]" in page
    assert "Nhà mạng từ chối từ ngữ chính trị" in page
    here = page.split('href="/message-templates/')[1].split("/edit")[0].split('"')[-1]
    here = (
        "/message-templates/"
        + next(part for part in page.split('"/message-templates/') if "/edit" in part[:60]).split("/edit")[0]
    )
    assert "phiên bản 2" in follow(organiser, f"{here}/lawful")
    assert organiser.post(f"{here}/edit", data={"name": "Mời", "text": "Khác", "number": "1"}).status_code == 422
    told = {"state": "approved", "sender": "ANSINH", "on": "2019-10-15", "number": "42"}
    assert "Nhà mạng đã duyệt" in follow(organiser, f"{here}/registrations", **told)
    for wrong in ({"on": "2019-10-16"}, {"state": "rejected"}, {"state": ""}):
        assert organiser.post(f"{here}/registrations", data=told | wrong).status_code == 422
    answer = organiser.post("/message-templates/new", data={"name": "MỜI", "purpose": "service", "text": "x"})
    assert answer.status_code == 422
    assert "Mời" not in follow(organiser, f"{here}/archive").split("<main")[1]
    assert organiser.get("/message-templates?archived=yes").status_code == 200
    assert organiser.post(f"{here}/edit", data={"name": "Mời", "text": "Khác", "number": "2"}).status_code == 422
    assert "phiên bản 2" in follow(organiser, f"{here}/restore")
    assert session.scalars(select(Campaign)).all() == []


def test_how_a_text_reads_is_told_while_one_types(texting: Texting, signed_in: SignedIn) -> None:
    organiser = signed_in(Role.ORGANISER)
    told = organiser.post(
        "/campaigns/wording", data={"text": "Mời {ten}", "purpose": "promotion", "accented": "y"}
    ).json
    assert told is not None
    assert "[QC] Mời Hoa Từ chối: http" in told["html"]
    texting.person()
    counted = organiser.get("/campaigns/count?purpose=promotion&stage=nonsense").json
    assert counted is not None
    assert organiser.get("/campaigns/count?purpose=service&place=nonsense").status_code == 200


def test_before_anything_is_written_a_sample_and_its_price_are_shown(
    session: Session, texting: Texting, signed_in: SignedIn
) -> None:
    organiser = signed_in(Role.ORGANISER)
    for purpose in Purpose:
        here = f"/campaigns/{texting.campaign('', purpose=purpose).id}"
        page = organiser.get(f"{here}/what").get_data(as_text=True)
        assert "Đây là tin mẫu" in page
        assert "0 đoạn" not in re.sub(r"\d0 đoạn", "", page)
        told = organiser.post("/campaigns/wording", data={"text": " ", "purpose": purpose.value}).json
        assert told is not None
        assert "Đây là tin mẫu" in told["html"]
        assert not refused_in(SAMPLES[purpose])
    assert is_lawful(SAMPLES[Purpose.PROMOTION])


def test_a_registered_name_takes_approved_texts_only_unless_an_administrator_says_so(
    session: Session, texting: Texting, signed_in: SignedIn
) -> None:
    admin, organiser = signed_in(Role.ADMIN), signed_in(Role.ORGANISER)
    settings = {"opens": "08:00", "closes": "20:00", "price": "800", "sender": "ANSINH"}
    follow(admin, "/messages/settings", **settings)
    texting.person()
    here = f"/campaigns/{texting.campaign().id}"
    assert "nhà mạng chưa duyệt" in follow(organiser, f"{here}/check").lower()
    follow(organiser, f"{here}/launch")
    assert only(session).stage is Stage.DRAFT
    until = {"unregistered_until": "2019-10-16"}
    assert admin.post("/messages/settings", data=settings | until).status_code == 422, "and why?"
    follow(admin, "/messages/settings", **settings, **until, unregistered_why="Nhà mạng hẹn duyệt trong tuần")
    assert organiser.post(f"{here}/launch").status_code == 303
    assert only(session).stage is Stage.RUNNING
    kept = session.scalars(select(ChangeRecord).where(ChangeRecord.act == "change_sms_settings")).all()
    assert kept[-1].after["unregistered_why"] == "Nhà mạng hẹn duyệt trong tuần"


def test_an_approved_template_goes_under_a_registered_name(
    session: Session, texting: Texting, signed_in: SignedIn
) -> None:
    settings = sending.settings_of(session, texting.make.town.id)
    settings.sender = "ANSINH"
    session.add(settings)
    texting.person()
    campaign = texting.campaign("Chào {ten}")
    by, at = campaign.created_by_id, clock.now()
    template = add_template(
        session, campaign.town_id, name="Chào", purpose=Purpose.SERVICE, text="Chào {ten}", by_id=by, at=at
    )
    version = template_of(session, campaign.town_id, template.id).version
    drafting.change(session, campaign, {"template_version_id": version.id}, version=None, at=at)
    organiser = signed_in(Role.ORGANISER)
    for state, stage in ((Registered.SUBMITTED, Stage.DRAFT), (Registered.APPROVED, Stage.RUNNING)):
        register(
            session, version, sender="ANSINH", state=state, number=None, words=None, on=clock.today(), by_id=by, at=at
        )
        follow(organiser, f"/campaigns/{campaign.id}/check")
        organiser.post(f"/campaigns/{campaign.id}/launch")
        assert only(session).stage is stage


def test_a_trial_to_somebody_elses_number_is_refused_where_it_was_typed(texting: Texting, signed_in: SignedIn) -> None:
    here, organiser = f"/campaigns/{texting.campaign().id}", signed_in(Role.ORGANISER)
    assert organiser.post(f"{here}/try", data={"phone": "0912345678"}).status_code == 422
    me = texting.make.user(Role.ORGANISER, phone="+84987654321")
    assert "Tin gửi thử" in follow(signed_in(me), f"{here}/try", phone="0987 654 321")


def test_calling_off_tells_first_how_many_it_stops(session: Session, texting: Texting, signed_in: SignedIn) -> None:
    texting.person()
    campaign = texting.campaign()
    texting.launch(campaign)
    page = signed_in(Role.ORGANISER).get(f"/campaigns/{campaign.id}").text
    before, asked = page.split("<summary>Hủy hẳn đợt này", 1)
    assert "/cancel" not in before
    assert "1 tin đang chờ sẽ không gửi nữa." in asked.split("/cancel")[0]


def test_people_stay_counted_while_the_name_is_missing(texting: Texting, signed_in: SignedIn) -> None:
    texting.person()
    left_open = dict.fromkeys(("name", "list", "place", "stage", "standing"), "")
    answer = signed_in(Role.ORGANISER).post("/campaigns/new", data={"purpose": "service", **left_open})
    assert answer.status_code == 422
    assert "sẽ nhận" in answer.text


def test_a_campaign_in_time_is_moved(session: Session, texting: Texting, signed_in: SignedIn) -> None:
    texting.person()
    organiser = signed_in(Role.ORGANISER)
    here = f"/campaigns/{texting.campaign().id}"
    when = {"begins": "later", "day": "2019-10-15", "time": "15:00", "control_percent": "0", "follow_days": "30"}
    assert "Hẹn gửi 1 tin" in follow(organiser, f"{here}/when", **when)
    assert "bắt đầu lúc 15:00" in follow(organiser, f"{here}/launch")
    assert organiser.post(f"{here}/move", data={"day": "2019-10-15", "time": "03:00"}).status_code == 422
    assert "bắt đầu lúc 16:00" in follow(organiser, f"{here}/move", day="2019-10-15", time="16:00")
    assert only(session).stage is Stage.SCHEDULED
    assert organiser.get("/campaigns?stage=scheduled").status_code == 200


@pytest.mark.parametrize(
    ("typed", "read"), [("1.500.000", 1_500_000), ("1 500 000 đ", 1_500_000), ("1500000", 1_500_000), ("", None)]
)
def test_a_budget_is_read_as_people_write_money(
    session: Session, texting: Texting, signed_in: SignedIn, typed: str, read: int | None
) -> None:
    texting.person()
    here, organiser = f"/campaigns/{texting.campaign().id}", signed_in(Role.ORGANISER)
    follow(organiser, f"{here}/when", begins="now", budget=typed, control_percent="0", follow_days="30", version="1")
    assert only(session).budget == read


def test_a_budget_that_is_no_number_is_told_once(texting: Texting, signed_in: SignedIn) -> None:
    here, organiser = f"/campaigns/{texting.campaign().id}", signed_in(Role.ORGANISER)
    sent = {"begins": "now", "budget": "một triệu", "control_percent": "0", "follow_days": "30", "version": "1"}
    answer = organiser.post(f"{here}/when", data=sent)
    assert answer.status_code == 422
    assert answer.text.count("Ngân sách tối đa: ") == 1
    assert "một triệu" in answer.text


def test_an_administrator_writes_limits_with_points(session: Session, signed_in: SignedIn) -> None:
    administrator = signed_in(Role.ADMIN)
    limits = {"price": "1.250", "month_budget": "20.000.000", "approve_messages": "1.000", "approve_cost": "500.000 đ"}
    follow(administrator, "/messages/settings", opens="07:00", closes="22:00", sender="", **limits)
    row = session.scalars(select(SmsSettings)).one()
    kept = (row.price, row.month_budget, row.approve_messages, row.approve_cost)
    assert kept == (1250, 20_000_000, 1000, 500_000)


def test_one_segment_is_one_in_english(session: Session, texting: Texting, signed_in: SignedIn) -> None:
    me = texting.make.user(Role.ORGANISER, phone="+84987654321")
    texting.person()
    campaign, organiser = texting.campaign("Chào {ten}"), signed_in(me)
    organiser.post("/language/en")
    assert "1 segment, 750 đ each" in organiser.get(f"/campaigns/{campaign.id}/what").text.replace("\xa0", " ")
    assert "A trial of 1 segment is on its way" in follow(
        organiser, f"/campaigns/{campaign.id}/try", phone="0987654321"
    )
