"""The pages of targets, as a manager and a ward use them."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.rules import Role
from crm.targets import queries
from crm.targets.models import Target
from crm.targets.sharing.models import TargetShare, TargetSharing
from tests.factories import Make

Signed = Callable[..., FlaskClient]
SET = {"indicator": "voluntary", "unit": "", "authority": "UBND tỉnh", "document": "99/QĐ", "year": "2019"}


def test_a_manager_changes_the_towns_target_and_reads_its_history(
    signed_in: Signed, session: Session, make: Make
) -> None:
    browser = signed_in(Role.MANAGER)
    row = queries.town_target(session, make.town.id, 2019)
    assert row is not None
    assert "1.385" in browser.get(f"/targets/{row.id}/change").text
    without = browser.post("/targets/set", data=SET | {"people": "1.400", "rate": "1,3", "knowing": "1"})
    assert without.status_code == 422
    told = {"people": "1.400", "rate": "1,3", "knowing": "1", "reason": "Giao bổ sung"}
    assert browser.post("/targets/set", data=SET | told).status_code == 302
    assert browser.post("/targets/set", data=SET | told).status_code == 422
    now = queries.town_target(session, make.town.id, 2019)
    assert now is not None
    page = browser.get(f"/targets/{now.id}/history").text
    assert "Giao bổ sung" in page
    assert "1.385" in page
    assert "1.400" in browser.get("/targets?year=2019").text


def test_parts_that_are_not_the_whole_say_so(signed_in: Signed, make: Make) -> None:
    browser, union = signed_in(Role.MANAGER), make.organisation()
    told = {"unit": f"organisation:{union.id}", "authority": "UBND thị xã", "document": "12/QĐ", "knowing": "0"}
    assert browser.post("/targets/set", data=SET | told | {"people": "1.000"}).status_code == 302
    assert "Cộng 1.000 trong 1.385 người của toàn địa bàn: còn 385 người chưa giao" in browser.get("/targets").text
    own = signed_in(make.user(Role.LEAD, organisation_id=union.id)).get("/targets").text
    assert "chưa giao" not in own, "who sees one part alone cannot say"


def test_numbers_that_are_none_are_told_at_their_field(signed_in: Signed) -> None:
    answer = signed_in(Role.MANAGER).post("/targets/set", data=SET | {"people": "nhiều", "rate": "130"})
    assert answer.status_code == 422
    assert 'href="#people"' in answer.text
    assert 'href="#rate"' in answer.text


def test_shared_out_sent_answered_and_settled_on_the_pages(signed_in: Signed, session: Session, make: Make) -> None:
    ward = make.ward()
    make.prospect()
    manager, lead = signed_in(Role.MANAGER), signed_in(make.user(Role.LEAD, place_id=ward.id))
    assert "1.385" in manager.get("/targets/share").text
    asked = {"year": "2019", "level": "place", "total": "1.385", "method": "even", "authority": "UBND thị xã"}
    assert manager.post("/targets/share", data=asked).status_code == 302
    row = session.scalars(select(TargetSharing)).one()
    page = manager.get(f"/targets/share/{row.id}").text
    assert "Chưa hỏi ý kiến đơn vị nào" in page
    fields = dict(re.findall(r'name="(people-[^"]+)"[^>]* value="([^"]*)"', page))
    assert sum(int(value.replace(".", "")) for value in fields.values()) == 1385
    wrong = manager.post(f"/targets/share/{row.id}/numbers", data=dict.fromkeys(fields, "1") | {"version": "1"})
    assert wrong.status_code == 422
    assert lead.get(f"/targets/share/{row.id}").status_code == 404
    assert manager.post(f"/targets/share/{row.id}/send").status_code == 302
    assert "Còn 8 đơn vị chưa trả lời." in manager.get(f"/targets/share/{row.id}").text
    share = session.scalars(select(TargetShare).where(TargetShare.place_id == ward.id)).one()
    assert f"/targets/shares/{share.id}/answer" in lead.get("/targets").text
    assert lead.post(f"/targets/shares/{share.id}/answer", data={"answer": "other"}).status_code == 422
    said = {"answer": "other", "asked": "120", "reason": "Nhiều người đi làm xa", "told": str(share.people)}
    stale = lead.post(f"/targets/shares/{share.id}/answer", data=said | {"told": str(share.people + 1)})
    assert stale.status_code == 422
    assert "vừa được sửa" in stale.text
    assert lead.post(f"/targets/shares/{share.id}/answer", data=said).status_code == 302
    page = manager.get(f"/targets/share/{row.id}").text
    assert "Nhiều người đi làm xa" in page
    assert "Còn 7 đơn vị chưa trả lời. Có 1 đơn vị đề nghị số khác." in page
    assert manager.post(f"/targets/share/{row.id}/settle", data={"version": "1"}).status_code == 302
    assert sum(one.people for one in queries.by_place(session, make.town.id, 2019).values()) == 1385
    assert manager.post(f"/targets/share/{row.id}/settle", data={"version": "1"}).status_code == 422


def test_next_year_is_proposed_from_this_years_results(signed_in: Signed) -> None:
    manager = signed_in(Role.MANAGER)
    page = manager.get("/targets/share?year=2020").text
    assert "194" in page
    asked = {"year": "2020", "level": "place", "total": "nhiều", "method": "even", "authority": "UBND thị xã"}
    wrong = manager.post("/targets/share", data=asked)
    assert wrong.status_code == 422
    assert "Chỉ tiêu năm sau, từ kết quả năm nay" in wrong.text, "what it is proposed from stays beside the mistake"
    assert "Chỉ tiêu năm sau" not in manager.post("/targets/share", data=asked | {"year": "2019"}).text
    assert manager.post("/targets/share", data=asked | {"year": "năm sau"}).status_code == 422


def test_who_only_looks_cannot_share_or_set(signed_in: Signed) -> None:
    auditor = signed_in(Role.AUDITOR)
    assert auditor.get("/targets/share").status_code == 302
    assert auditor.post("/targets/share").status_code == 404
    assert auditor.get("/targets/set").status_code == 403


def test_another_program_sets_and_changes_a_target(client: FlaskClient, session: Session, make: Make) -> None:
    headers = {"Authorization": f"Bearer {make.token(make.user(Role.MANAGER))}"}
    body = {"year": 2019, "people": 150, "place": "14812@2019-10-15", "authority": "UBND thị xã"}
    first = client.post("/api/v1/targets", json=body, headers=headers)
    assert first.status_code == 201
    assert client.post("/api/v1/targets", json=body, headers=headers).status_code == 422
    again = client.post("/api/v1/targets", json=body | {"people": 160, "reason": "Tăng"}, headers=headers)
    assert again.json is not None
    assert again.json["revision"] == 2
    late = client.post("/api/v1/targets", json=body | {"reason": "Lại", "knowing": 1}, headers=headers)
    assert late.status_code == 409
    assert session.scalars(select(Target).where(Target.people == 160)).one().reason == "Tăng"
