"""Grounds whose paper nobody has named yet: found, told on the person's page, named once."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.models import ChangeRecord
from crm.accounts.rules import Role
from crm.prospects.models import Standing
from crm.prospects.rules import Ground
from tests.factories import Make

Browser = Callable[..., FlaskClient]
MISSING = "Chưa có giấy chứng minh"


def test_whoever_may_edit_finds_grounds_without_their_paper(signed_in: Browser, make: Make, session: Session) -> None:
    lacking, shown = (make.prospect(name, grounds=(Ground.ETHNIC_MINORITY,)) for name in ("Lò Thị Thiếu", "Lò Thị Đủ"))
    make.prospect("Lê Thị Nghèo", grounds=(Ground.POOR,))
    paper = session.scalars(select(Standing).where(Standing.prospect_id == shown.id)).one()
    paper.certificate = "Giấy khai sinh 12/2001"
    session.flush()
    editor = signed_in(Role.MANAGER)
    assert "Diện chưa có giấy chứng minh" in editor.get("/people/lists").text
    page = editor.get("/people?condition=grounds_without_paper").text
    assert "Lò Thị Thiếu" in page
    assert "Lò Thị Đủ" not in page
    assert "Lê Thị Nghèo" not in page
    assert MISSING in editor.get(f"/people/{lacking.id}").text
    assert MISSING not in editor.get(f"/people/{shown.id}").text
    assert "Diện chưa có giấy chứng minh" not in signed_in(Role.AUDITOR).get("/people/lists").text


def test_a_paper_is_named_once_and_the_days_stay(signed_in: Browser, make: Make, session: Session) -> None:
    person = make.prospect("Lò Thị Thiếu", grounds=(Ground.ETHNIC_MINORITY,))
    row = session.scalars(select(Standing).where(Standing.prospect_id == person.id)).one()
    since, url, editor = row.valid_from, f"/people/{person.id}/grounds/{row.id}/paper", signed_in(Role.MANAGER)
    refused = editor.post(url, data={"paper": "  "})
    assert refused.status_code == 422
    assert "giấy khai sinh" in refused.text
    for _again in range(2):
        assert editor.post(url, data={"paper": "Giấy khai sinh 12/2001"}).status_code == 303
    assert editor.post(url, data={"paper": "Giấy khác"}).status_code == 422
    session.refresh(row)
    assert (row.certificate, row.valid_from) == ("Giấy khai sinh 12/2001", since)
    told = session.scalars(select(ChangeRecord).where(ChangeRecord.subject_id == person.id)).all()
    assert [one.act for one in told] == ["record_standing"]
    assert MISSING not in editor.get(f"/people/{person.id}").text


def test_nobody_names_a_paper_of_somebody_out_of_reach(signed_in: Browser, make: Make, session: Session) -> None:
    person, other = (make.prospect(name, grounds=(Ground.ETHNIC_MINORITY,)) for name in ("Lò Thị A", "Lò Thị B"))
    row = session.scalars(select(Standing).where(Standing.prospect_id == person.id)).one()
    sent = {"paper": "Giấy khai sinh"}
    assert signed_in(Role.VOLUNTEER).post(f"/people/{person.id}/grounds/{row.id}/paper", data=sent).status_code == 404
    assert signed_in(Role.AUDITOR).post(f"/people/{person.id}/grounds/{row.id}/paper", data=sent).status_code == 403
    assert signed_in(Role.MANAGER).post(f"/people/{other.id}/grounds/{row.id}/paper", data=sent).status_code == 404
    session.refresh(row)
    assert row.certificate is None
