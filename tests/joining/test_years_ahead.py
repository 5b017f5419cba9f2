"""How many years may be paid ahead at once is what the law of the day says, whatever it says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.errors import RuleBroken
from crm.ids import new_id
from crm.joining import services
from crm.joining.models import Dossier
from crm.months import Month
from crm.participation.models import Payment
from crm.premiums.models import LawValueRow
from crm.premiums.rules.keys import LawKey, LawStatus
from tests.factories import Make
from tests.joining.test_dossiers import Story
from tests.participation.missing.test_missing import AUGUST

Browse = Callable[..., FlaskClient]
SIX_YEARS = 72
FLOOR = 1_500_000
CHOSEN = {"income": FLOOR, "months": SIX_YEARS, "start": Month(2026, 8)}


@pytest.fixture
def story(make: Make, at_time: Callable[[datetime], None]) -> Story:
    at_time(clock.at(AUGUST, 9))
    return Story(make)


def six_years_are_allowed(session: Session) -> None:
    """An administrator has put a decree on record that lets people pay for six years ahead."""
    session.add(
        LawValueRow(
            id=new_id(),
            key=LawKey.YEARS_AHEAD_MOST,
            ground=None,
            value=Decimal(6),
            effective_from=date(2026, 8, 1),
            document="Nghị định thử",
            status=LawStatus.IN_FORCE,
        )
    )
    session.flush()


def test_six_years_ahead_are_saved_and_paid_once_a_law_allows_them(
    session: Session, story: Story, signed_in: Browse
) -> None:
    six_years_are_allowed(session)
    browser, url = signed_in(story.volunteer), f"/people/{story.person.id}/papers"
    assert f'value="{SIX_YEARS}"' in browser.get(url).get_data(as_text=True)
    sent = browser.post(url, data={"income": str(FLOOR), "months": str(SIX_YEARS), "start": "2026-08"})
    assert sent.status_code == 302
    dossier = session.scalars(select(Dossier)).one()
    assert dossier.months == SIX_YEARS
    story.submitted(story.handed_on(dossier, story.person))
    story.accepted(dossier)
    assert session.scalars(select(Payment)).one().months == SIX_YEARS


def test_more_years_than_the_law_of_the_day_allows_are_refused(session: Session, story: Story) -> None:
    with pytest.raises(RuleBroken) as refused:
        story.begun(**CHOSEN)
    assert refused.value.code == "years_ahead_out_of_range"
    dossier = story.begun(**CHOSEN | {"months": 3})
    with pytest.raises(RuleBroken) as again:
        services.change(session, dossier, story.person, **CHOSEN, by=story.volunteer, at=clock.now())
    assert again.value.code == "years_ahead_out_of_range"


def test_a_program_is_told_what_the_law_allows(session: Session, make: Make, client: FlaskClient, story: Story) -> None:
    headers = {"Authorization": f"Bearer {make.token(story.volunteer)}"}
    sent = {"prospect_id": str(story.person.id), "income": FLOOR, "months": SIX_YEARS, "start": "2026-08"}
    refused = client.post("/api/v1/dossiers", json=sent, headers=headers)
    assert (refused.status_code, refused.get_json()["code"]) == (422, "years_ahead_out_of_range")
    six_years_are_allowed(session)
    assert client.post("/api/v1/dossiers", json=sent, headers=headers).status_code == 201
