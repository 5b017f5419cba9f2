"""Papers that declare all months missing for a pension, paid at once."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.errors import RuleBroken
from crm.joining import printing, services
from crm.joining.models import Dossier
from crm.joining.queries import work_out
from crm.joining.rules import Movement, State
from crm.months import Month
from crm.participation.elsewhere.rules import Said
from crm.participation.elsewhere.services import write_down
from crm.participation.models import Participation, Payment
from crm.participation.rules import Beginning
from crm.prospects.models import Prospect
from tests.factories import Make
from tests.joining.test_dossiers import Story
from tests.participation.missing.test_missing import AUGUST, WOMAN
from tests.participation.stories import join

Browse = Callable[..., FlaskClient]
FLOOR = 1_500_000
ALL = {"income": FLOOR, "months": 50, "missing": True, "start": Month(2026, 8)}


@pytest.fixture
def story(make: Make, at_time: Callable[[datetime], None]) -> Story:
    at_time(clock.at(AUGUST, 9))
    return Story(make)


@pytest.fixture
def woman(story: Story) -> Prospect:
    """Of the age, with 130 months on her record, none of them with us."""
    person = story.somebody("Lê Thị Đủ Tuổi", "038169000007", **WOMAN, insurance_number="3800000017")
    said = Said(Month(2026, 7), 120, 100, 10, "Sổ BHXH, tờ rời 7/2026")
    write_down(story.session, person, said, by=story.make.user(Role.MANAGER), at=clock.now())
    return person


def test_all_that_is_missing_goes_to_the_office_with_its_interest_and_comes_back_as_paid(
    session: Session, story: Story, woman: Prospect, signed_in: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, url = signed_in(story.volunteer), f"/people/{woman.id}/papers"
    assert "50 tháng còn thiếu" in browser.get(f"/people/{woman.id}/papers?missing=1").get_data(as_text=True)
    opened = browser.post(url, data={"income": "1.500.000", "months": "0", "start": "2026-08"})
    page = browser.get(opened.headers["Location"]).get_data(as_text=True)
    assert "Đóng một lần cho thời gian còn thiếu" in page
    dossier = session.scalars(select(Dossier)).one()
    assert (dossier.months, dossier.missing, dossier.movement) == (50, True, Movement.LATE)
    worked = work_out(session, dossier, woman, AUGUST)
    assert [one.code for one in worked.problems] == ["missing_not_read"]
    assert worked.quote
    assert worked.quote.interest == worked.quote.gross - 330_000 * 50 > 0
    told: list[dict[str, Any]] = []
    real = printing.set_in_type
    monkeypatch.setattr(printing, "set_in_type", lambda paper, data: told.append(data) or real(paper, data))
    assert browser.get(f"{opened.headers['Location']}.pdf").data.startswith(b"%PDF")
    assert told[0]["method"] == "Đóng một lần cho 50 tháng còn thiếu"
    made = story.submitted(story.handed_on(dossier, woman))
    agent = signed_in(story.agent)
    read = load_workbook(io.BytesIO(agent.get(f"/dossiers/lists/{made.id}.xlsx").data)).active
    assert read is not None
    row = dict(zip([one.value for one in read[4]], [one.value for one in read[5]], strict=True))
    assert (row["PA"], row["Phuongthuc"], row["Sothang"], row["Tongtien"]) == ("DB", "TH", 50, worked.quote.gross)
    assert "gồm lãi" in str(row["Ghichu"])
    assert agent.get(f"/dossiers/lists/{made.id}.pdf").data.startswith(b"%PDF")
    story.accepted(dossier, woman)
    payment = session.scalars(select(Payment)).one()
    assert (payment.missing, payment.months, payment.gross) == (True, 50, row["Tongtien"])
    spell = session.scalars(select(Participation)).one()
    assert (spell.deadline_on, spell.started_as) == (None, Beginning.MOVED_IN)


@pytest.mark.parametrize("months", [49, 51])
def test_another_number_than_are_missing_is_refused(story: Story, woman: Prospect, months: int) -> None:
    with pytest.raises(RuleBroken) as refused:
        story.begun(woman, **ALL | {"months": months})
    assert refused.value.code == "missing_differs"


def test_who_is_not_of_the_age_is_not_offered_it(story: Story, signed_in: Browse) -> None:
    browser, url = signed_in(story.volunteer), f"/people/{story.person.id}/papers"
    assert "còn thiếu" not in browser.get(url).get_data(as_text=True)
    form = {"income": "1.500.000", "months": "0", "start": "2026-08"}
    assert browser.post(url, data=form).status_code == 422


def test_who_takes_part_makes_them_up_and_what_is_paid_meanwhile_holds_the_papers_back(
    session: Session, story: Story, woman: Prospect
) -> None:
    join(woman, AUGUST, income=FLOOR, months=1, start=Month(2026, 8))
    with pytest.raises(RuleBroken) as gone:
        story.begun(woman, **ALL | {"start": Month(2026, 9)})
    assert gone.value.code == "missing_differs"
    dossier = story.begun(woman, **ALL | {"months": 49, "start": Month(2026, 9)})
    assert dossier.movement is Movement.LATE
    worked = work_out(session, dossier, woman, AUGUST)
    assert worked.complete
    story.submitted(story.handed_on(dossier, woman))
    story.accepted(dossier, woman, number=None)
    assert dossier.state is State.ACCEPTED
    assert session.scalars(select(Payment).where(Payment.missing)).one().months == 49


def test_who_takes_part_leaves_no_gap(session: Session, story: Story, woman: Prospect) -> None:
    join(woman, AUGUST, income=FLOOR, months=1, start=Month(2026, 8))
    dossier = story.begun(woman, income=FLOOR, months=3, start=Month(2026, 10))
    assert [one.code for one in work_out(session, dossier, woman, AUGUST).problems if one.firm] == ["refused"]
    services.change(
        session,
        dossier,
        woman,
        income=FLOOR,
        months=3,
        start=Month(2026, 9),
        by=story.volunteer,
        at=clock.now(),
    )
    assert work_out(session, dossier, woman, AUGUST).complete
