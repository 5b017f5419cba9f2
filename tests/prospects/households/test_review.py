"""The annual review: whose certificate ends with the year, renewing it, and what a person's page says in autumn."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.errors import RuleBroken
from crm.participation.queries import grounds_on
from crm.prospects.households import renewing, reviewing
from crm.prospects.households.models import HouseholdCertificate, PovertyReview
from crm.prospects.households.queries import certificate_ending
from crm.prospects.households.renewing import Asked
from crm.prospects.households.rules import Living, Renewal, year_ending
from crm.prospects.households.services import certificates, membership
from crm.prospects.models import Household, Prospect
from crm.prospects.rules import Ground, Kinship
from tests.factories import Make

Browser = Callable[..., FlaskClient]
NEW_YEAR = date(2020, 1, 1)


@pytest.fixture
def clerk(make: Make) -> User:
    return make.user()


def family(session: Session, make: Make, by: User, name: str = "Lê Văn Chủ", **more: object) -> Household:
    living = [
        Living(make.prospect(name, **more).id, Kinship.HEAD),  # type: ignore[arg-type]
        Living(make.prospect(f"{name} Con", **more).id, Kinship.CHILD),  # type: ignore[arg-type]
    ]
    return membership.found(session, living, by=by, at=clock.now())


def certified(session: Session, make: Make, by: User, name: str = "Lê Văn Chủ", **more: object) -> Household:
    home = family(session, make, by, name, **more)
    certificates.certify(session, home, Ground.POOR, f"{name}/2019", 2019, by=by, at=clock.now())
    return home


def listed(session: Session, by: User, year: int = 2019) -> dict[str, Renewal]:
    found = reviewing.page_of_due(session, scope_of(session, by), year, size=50)
    return {row.names[0]: row.state for row in found.rows}


def test_in_autumn_this_years_certificates_end_before_that_last_years() -> None:
    assert [year_ending(date(2019, month, 1)) for month in (9, 10, 12)] == [2018, 2019, 2019]
    assert year_ending(NEW_YEAR) == 2019


def test_households_and_people_alone_stand_in_the_list_once(session: Session, make: Make, clerk: User) -> None:
    certified(session, make, clerk)
    claimed = family(session, make, clerk, "Trần Văn Kê")
    for one in membership.members_of(session, claimed):
        make.standing(one, Ground.NEAR_POOR)
    make.prospect("Vũ Thị Đơn", grounds=(Ground.NEAR_POOR,))
    make.prospect("Đỗ Văn Khác", grounds=(Ground.ETHNIC_MINORITY,))
    family(session, make, clerk, "Bùi Văn Thường")
    assert listed(session, clerk) == {
        "Lê Văn Chủ": Renewal.NOT_YET,
        "Trần Văn Kê": Renewal.NOT_YET,
        "Vũ Thị Đơn": Renewal.NOT_YET,
    }
    assert listed(session, clerk, 2018) == {}


def test_a_renewed_certificate_holds_the_next_year_for_everybody(session: Session, make: Make, clerk: User) -> None:
    home, alone = certified(session, make, clerk), make.prospect("Vũ Thị Đơn", grounds=(Ground.NEAR_POOR,))
    asked = [Asked(home.id, None, "1/2020"), Asked(None, alone.id, "2/2020")]
    scope = scope_of(session, clerk)
    assert renewing.renew_all(session, scope, asked, year=2020, by=clerk, at=clock.now()) == 2
    for one in membership.members_of(session, home):
        assert [grounds_on(session, one, day) for day in (date(2019, 12, 31), NEW_YEAR, date(2021, 1, 1))] == [
            (Ground.POOR,),
            (Ground.POOR,),
            (),
        ]
    assert grounds_on(session, alone, NEW_YEAR) == (Ground.NEAR_POOR,)
    assert set(listed(session, clerk).values()) == {Renewal.RENEWED}
    with pytest.raises(RuleBroken) as refusal:
        renewing.renew_all(session, scope, asked[:1], year=2020, by=clerk, at=clock.now())
    assert refusal.value.code == "renewed"
    assert "Lê Văn Chủ" in str(refusal.value)


def test_undo_takes_back_what_was_renewed_and_nothing_else(session: Session, make: Make, clerk: User) -> None:
    home, other = certified(session, make, clerk), certified(session, make, clerk, "Mai Văn Hai")
    alone, scope, at = make.prospect("Vũ Thị Đơn", grounds=(Ground.POOR,)), scope_of(session, clerk), clock.now()
    renewing.renew(
        session, scope_of(session, clerk), other, "9/2020", year=2020, by=clerk, at=clock.at(date(2019, 10, 14))
    )
    asked = [Asked(home.id, None, "1/2020"), Asked(None, alone.id, "2/2020")]
    renewing.renew_all(session, scope, asked, year=2020, by=clerk, at=at)
    assert renewing.undo(session, scope, at, by=clerk, at=at) == 2
    assert listed(session, clerk) == {
        "Lê Văn Chủ": Renewal.NOT_YET,
        "Mai Văn Hai": Renewal.RENEWED,
        "Vũ Thị Đơn": Renewal.NOT_YET,
    }
    assert grounds_on(session, alone, date(2019, 12, 31)) == (Ground.POOR,)
    with pytest.raises(RuleBroken) as refusal:
        renewing.undo(session, scope, at, by=clerk, at=clock.at(date(2019, 10, 20)))
    assert refusal.value.code == "too_late"


def test_no_longer_is_noted_and_a_later_certificate_overrules_it(session: Session, make: Make, clerk: User) -> None:
    home, scope = certified(session, make, clerk), scope_of(session, clerk)
    renewing.no_longer(session, scope, Asked(home.id, None), year=2020, by=clerk, at=clock.now())
    assert listed(session, clerk) == {"Lê Văn Chủ": Renewal.NO_LONGER}
    renewing.renew(session, scope_of(session, clerk), home, "1/2020", year=2020, by=clerk, at=clock.now())
    assert listed(session, clerk) == {"Lê Văn Chủ": Renewal.RENEWED}
    assert session.scalars(select(PovertyReview)).all() == []
    with pytest.raises(RuleBroken):
        renewing.no_longer(session, scope, Asked(home.id, None), year=2020, by=clerk, at=clock.now())


def test_counts_and_lists_stay_within_a_leads_ward(session: Session, make: Make, clerk: User) -> None:
    certified(session, make, clerk)
    certified(session, make, clerk, "Mai Văn Xa", place=make.ward("14818@2019-10-15"))
    lead = make.user(Role.LEAD, place_id=make.ward().id)
    assert listed(session, lead) == {"Lê Văn Chủ": Renewal.NOT_YET}
    assert sum(row.in_all for row in reviewing.tallies(session, scope_of(session, lead), 2019)) == 1
    assert sum(row.in_all for row in reviewing.tallies(session, scope_of(session, clerk), 2019)) == 2


def test_pages_of_the_list_follow_each_other(session: Session, make: Make, clerk: User) -> None:
    names = {f"Lê Văn {word}" for word in ("Ba", "Hai", "Tư", "Năm", "Bảy")}
    for name in names:
        certified(session, make, clerk, name)
    seen, cursor = [], None
    for _ in range(3):
        found = reviewing.page_of_due(session, scope_of(session, clerk), 2019, cursor=cursor, size=2)
        seen += [row.names[0] for row in found.rows]
        cursor = found.next
    assert (set(seen), len(seen), cursor) == (names, 5, None)


def test_a_persons_page_says_from_october_that_the_certificate_ends(
    session: Session, make: Make, clerk: User, signed_in: Browser, at_time: Callable[..., None]
) -> None:
    home = certified(session, make, clerk)
    person = membership.members_of(session, home)[1]
    words = "Giấy chứng nhận hộ nghèo hết hạn 31/12/2019"
    browser = signed_in(clerk)
    at_time(clock.at(date(2019, 9, 30), 9))
    assert words not in browser.get(f"/people/{person.id}").text
    at_time(clock.at(date(2019, 10, 1), 9))
    assert words in browser.get(f"/people/{person.id}").text
    renewing.renew(session, scope_of(session, clerk), home, "1/2020", year=2020, by=clerk, at=clock.now())
    assert words not in browser.get(f"/people/{person.id}").text


def test_who_was_found_no_longer_poor_is_not_reminded(session: Session, make: Make, clerk: User) -> None:
    home = certified(session, make, clerk)
    person = membership.members_of(session, home)[0]
    today = date(2019, 10, 15)
    assert certificate_ending(session, person, today) == (Ground.POOR, date(2019, 12, 31))
    renewing.no_longer(session, scope_of(session, clerk), Asked(home.id, None), year=2020, by=clerk, at=clock.now())
    assert certificate_ending(session, person, today) is None


def test_the_page_renews_one_then_all_that_have_a_number_and_undoes(
    session: Session, make: Make, clerk: User, signed_in: Browser
) -> None:
    homes = [certified(session, make, clerk, name) for name in ("Lê Văn Ba", "Lê Văn Tư", "Lê Văn Năm")]
    browser, keys = signed_in(clerk), [f"h.{home.id}" for home in homes]
    assert browser.get("/certificates").text.count("Lê Văn") >= 3
    one = {f"number-{keys[0]}": "1/2020", f"number-{keys[1]}": "2/2020", "only": keys[0]}
    assert browser.post("/certificates/renew", data=one, follow_redirects=True).status_code == 200
    assert renewed(session) == {homes[0].id}
    rest = {f"number-{keys[1]}": "2/2020", f"number-{keys[2]}": " "}
    page = browser.post("/certificates/renew?state=not_yet", data=rest, follow_redirects=True)
    assert renewed(session) == {homes[0].id, homes[1].id}
    undo = page.text.split('action="/certificates/undo/')[1].split('"')[0]
    browser.post(f"/certificates/undo/{undo}")
    assert renewed(session) == {homes[0].id}
    assert browser.post("/certificates/renew", data={"gone": keys[2]}).status_code == 302
    assert session.scalars(select(PovertyReview.household_id)).all() == [homes[2].id]


def renewed(session: Session) -> set[object]:
    return set(session.scalars(select(HouseholdCertificate.household_id).where(HouseholdCertificate.year == 2020)))


def test_what_is_refused_keeps_the_numbers_that_were_typed(
    session: Session, make: Make, clerk: User, signed_in: Browser
) -> None:
    home = certified(session, make, clerk)
    certificates.end(
        session,
        session.scalars(select(HouseholdCertificate)).one(),
        on=date(2019, 10, 1),
        by=clerk,
        at=clock.now(),
    )
    other = certified(session, make, clerk, "Mai Văn Hai")
    sent = {f"number-h.{other.id}": "2/2020", f"number-h.{home.id}": "1/2020"}
    page = signed_in(clerk).post("/certificates/renew", data=sent)
    assert page.status_code == 422
    assert "2/2020" in page.text
    assert renewed(session) == set()
    for strange in ("", "x", "h.1", "q.00000000-0000-0000-0000-000000000000"):
        assert signed_in(clerk).post("/certificates/renew", data={"only": strange}).status_code == 422


def test_the_workbook_is_taken_with_the_right_only_and_formulas_are_text(
    session: Session, make: Make, clerk: User, signed_in: Browser
) -> None:
    home = family(session, make, clerk)
    certificates.certify(session, home, Ground.POOR, "=1+1", 2019, by=clerk, at=clock.now())
    assert signed_in(Role.ORGANISER).get("/certificates.xlsx").status_code == 403
    answer = signed_in(clerk).get("/certificates.xlsx")
    cells = [cell for row in load_workbook(io.BytesIO(answer.data)).active for cell in row if cell.value]  # type: ignore[union-attr]
    assert ["=1+1", "s"] in [[cell.value, cell.data_type] for cell in cells]
    assert any("Lê Văn Chủ" in str(cell.value) for cell in cells)


def test_leads_open_the_list_from_their_menu_and_volunteers_do_not(make: Make, signed_in: Browser) -> None:
    lead = signed_in(make.user(Role.LEAD, place_id=make.ward().id))
    assert 'href="/certificates"' in lead.get("/people").text
    assert signed_in(Role.VOLUNTEER).get("/certificates").status_code == 403


def test_a_person_alone_reads_on_the_page_as_themselves(session: Session, make: Make, signed_in: Browser) -> None:
    alone: Prospect = make.prospect("Vũ Thị Đơn", grounds=(Ground.POOR,))
    page = signed_in(Role.MANAGER).get("/certificates").text
    assert f"/people/{alone.id}" in page


def test_many_are_renewed_in_one_act_with_few_questions_to_the_database(
    session: Session, make: Make, clerk: User, signed_in: Browser
) -> None:
    words = ("Ba", "Hai", "Tư", "Năm", "Bảy", "Tám", "Chín", "Mười", "Xuân", "Hạ", "Thu", "Đông")
    homes = [certified(session, make, clerk, f"Lê Văn {word}") for word in words]
    sent = {f"number-h.{home.id}": f"{number}/2020" for number, home in enumerate(homes)}
    browser = signed_in(clerk)
    assert browser.post("/certificates/renew", data=sent).status_code == 302  # the client counts the statements
    assert renewed(session) == {home.id for home in homes}
    assert set(listed(session, clerk).values()) == {Renewal.RENEWED}
