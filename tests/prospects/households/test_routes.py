"""The pages of households, and who sees whom on them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.rules import Role
from crm.ids import new_id
from crm.participation.queries import grounds_on
from crm.prospects.households.models import HouseholdCertificate
from crm.prospects.households.rules import Living
from crm.prospects.households.services import certificates, membership
from crm.prospects.models import Household, Prospect
from crm.prospects.rules import Ground, Kinship
from tests.factories import Make

Browser = Callable[..., FlaskClient]
TODAY = date(2019, 10, 15)


@pytest.fixture
def clerk(make: Make) -> User:
    return make.user()


@pytest.fixture
def volunteer(make: Make) -> User:
    return make.user(Role.VOLUNTEER)


@pytest.fixture
def family(session: Session, make: Make, clerk: User, volunteer: User) -> Household:
    """A head whom the volunteer looks after, a wife and a child whom others do."""
    living = [
        Living(make.prospect("Lê Văn Chủ", volunteer_id=volunteer.id, phone=make.phone()).id, Kinship.HEAD),
        Living(make.prospect("Phạm Thị Vợ").id, Kinship.SPOUSE),
        Living(make.prospect("Lê Thị Út").id, Kinship.CHILD),
    ]
    return membership.found(session, living, by=clerk, at=clock.now())


def named(session: Session, name: str) -> Prospect:
    return session.scalars(select(Prospect).where(Prospect.full_name == name)).one()


def test_the_head_stands_first_and_each_can_be_called_on(family: Household, signed_in: Browser, clerk: User) -> None:
    page = signed_in(clerk).get(f"/households/{family.id}").text
    assert "Hộ Lê Văn Chủ" in page
    assert page.index("Lê Văn Chủ, " if "Lê Văn Chủ, " in page else "Lê Văn Chủ") < page.index("Phạm Thị Vợ")
    assert page.count('name="client_id"') == 3


def test_whom_others_look_after_is_a_number_without_a_name(
    session: Session, family: Household, signed_in: Browser, volunteer: User
) -> None:
    browser = signed_in(volunteer)
    person = named(session, "Lê Văn Chủ")
    for url in (f"/households/{family.id}", f"/people/{person.id}", f"/households/{family.id}/head"):
        page = browser.get(url).text
        assert "Vợ" not in page.replace("Vợ, chồng", "").replace("Vợ hoặc chồng", "") or "Phạm Thị Vợ" not in page
        assert "Lê Thị Út" not in page
    assert "còn 2 người do người khác phụ trách" in browser.get(f"/households/{family.id}").text
    wife = named(session, "Phạm Thị Vợ")
    assert (
        browser.post(f"/households/{family.id}/members/{wife.id}/leave", data={"on": "2019-10-01"}).status_code == 404
    )
    assert signed_in(Role.VOLUNTEER).get(f"/households/{family.id}").status_code == 404


def test_a_household_is_founded_from_two_people(session: Session, make: Make, signed_in: Browser, clerk: User) -> None:
    phone = make.phone()
    mother = make.prospect("Vũ Thị Mẹ", phone=phone)
    son = make.prospect("Vũ Văn Con", other_phone=phone)
    browser = signed_in(clerk)
    assert str(son.id) in browser.get(f"/people/{mother.id}/household").text
    sent = {"other": str(son.id), "head": str(mother.id), "kinship": "child", "since": "", "code": "38-1"}
    made = browser.post(f"/people/{mother.id}/household", data=sent)
    assert made.status_code == 302
    assert (mother.kinship, son.kinship, son.household_id) == (Kinship.HEAD, Kinship.CHILD, mother.household_id)
    assert browser.get(f"/people/{mother.id}/household").status_code == 302
    assert browser.post(f"/people/{mother.id}/household", data=sent).status_code == 422


def test_a_household_is_founded_at_an_address_that_becomes_that_of_both(
    make: Make, signed_in: Browser, clerk: User
) -> None:
    head = make.prospect("Vũ Thị Mẹ", address="Số 1 ngõ cũ")
    son = make.prospect("Vũ Văn Con", place=make.ward("14815"))
    browser, url = signed_in(clerk), f"/people/{head.id}/household"
    page = browser.get(url).text
    assert 'name="address"' in page
    assert "checked" in page[page.index('name="to_its_address"') - 200 :][:400]
    sent = {"other": str(son.id), "head": str(head.id), "kinship": "child", "address": "Số 9 Trần Phú"}
    assert browser.post(url, data=sent | {"address": "a" * 301}).status_code == 422
    made = browser.post(url, data=sent | {"to_its_address": "y"})
    assert "Số 9 Trần Phú" in browser.get(made.location).text
    assert (head.address, son.address, son.place_id) == ("Số 9 Trần Phú", "Số 9 Trần Phú", head.place_id)


def test_without_an_address_the_household_lives_where_its_head_or_a_neighbour_does(
    session: Session, make: Make, signed_in: Browser, clerk: User
) -> None:
    head, wife = make.prospect("Vũ Văn Chồng"), make.prospect("Lê Thị Vợ", address="Số 3 Lê Lợi")
    far = make.prospect("Lê Thị Xa", address="Số 7 Nguyễn Huệ", place=make.ward("14815"))
    living = [
        Living(far.id, Kinship.OTHER),
        Living(head.id, Kinship.HEAD),
        Living(wife.id, Kinship.SPOUSE),
    ]
    home = membership.found(session, living, by=clerk, at=clock.now())
    assert (home.place_id, home.address) == (head.place_id, "Số 3 Lê Lợi")
    assert (head.address, far.address, far.place_id) == (None, "Số 7 Nguyễn Huệ", make.ward("14815").id)


def test_somebody_alone_and_somebody_found_by_a_search(
    session: Session, make: Make, signed_in: Browser, clerk: User
) -> None:
    alone, browser = make.prospect("Vũ Thị Một"), signed_in(clerk)
    assert browser.post(f"/people/{alone.id}/household", data={"head": str(alone.id)}).status_code == 302
    other = make.prospect("Đặng Văn Xa", place=make.ward("14815"))
    url = f"/households/{alone.household_id}/members"
    page = browser.get(f"{url}?q=dang van").text
    assert str(other.id) in page
    assert "checked" in page[page.index('name="to_its_address"') - 200 :][:400]
    sent = {"person": str(other.id), "kinship": "not_related", "on": "2019-10-01", "to_its_address": "y"}
    assert browser.post(url, data=sent).status_code == 302
    assert (other.household_id, other.place_id) == (alone.household_id, alone.place_id)
    stays = make.prospect("Đặng Văn Ở", place=make.ward("14815"))
    assert browser.post(url, data={"person": str(stays.id), "kinship": "not_related"}).status_code == 302
    assert (stays.household_id, stays.place_id) == (alone.household_id, make.ward("14815").id)
    assert browser.post(url, data={"person": "", "kinship": "child"}).status_code == 422


def test_moving_out_with_its_day_ends_the_ground_on_that_day(
    session: Session, family: Household, signed_in: Browser, clerk: User
) -> None:
    browser, child = signed_in(clerk), named(session, "Lê Thị Út")
    sent = {"ground": "poor", "certificate": "12/GCN", "year": "2019", "since": ""}
    assert browser.post(f"/households/{family.id}/certificates", data=sent).status_code == 302
    url = f"/households/{family.id}/members/{child.id}/leave"
    assert browser.get(url).status_code == 200
    assert browser.post(url, data={"on": "2020-01-01"}).status_code == 422
    assert browser.post(url, data={"on": "2019-10-01"}).status_code == 302
    assert [grounds_on(session, child, date(2019, 9, 30)), grounds_on(session, child, date(2019, 10, 1))] == [
        (Ground.POOR,),
        (),
    ]
    assert "Từng sống ở đây" in browser.get(f"/households/{family.id}").text


def test_a_certificate_is_recorded_refused_and_withdrawn(
    session: Session, family: Household, signed_in: Browser, clerk: User
) -> None:
    browser, url = signed_in(clerk), f"/households/{family.id}/certificates"
    assert browser.post(url, data={"ground": "poor", "certificate": "", "year": "2019"}).status_code == 422
    sent = {"ground": "near_poor", "certificate": "1/CN", "year": "2019", "since": "2018-12-31"}
    assert browser.post(url, data=sent).status_code == 422
    browser.post(url, data=sent | {"since": ""})
    paper = session.scalars(select(HouseholdCertificate)).one()
    assert browser.get(f"{url}/{paper.id}/end").status_code == 200
    assert browser.post(f"{url}/{paper.id}/end", data={"on": "2025-01-01"}).status_code == 422
    assert browser.post(f"{url}/{paper.id}/end", data={"on": "2019-10-01"}).status_code == 302
    assert paper.valid_to == date(2019, 10, 1)
    assert browser.get(f"{url}/{new_id()}/end").status_code == 404


def test_another_head_is_chosen_with_what_the_others_are(
    session: Session, family: Household, signed_in: Browser, clerk: User
) -> None:
    browser, wife, child = signed_in(clerk), named(session, "Phạm Thị Vợ"), named(session, "Lê Thị Út")
    url = f"/households/{family.id}/head"
    assert browser.get(url).status_code == 200
    assert browser.post(url, data={"head": "nobody"}).status_code == 422
    sent = {"head": str(wife.id), f"kinship-{child.id}": "child", f"kinship-{wife.id}": "spouse"}
    assert browser.post(url, data=sent).status_code == 302
    assert (wife.kinship, child.kinship) == (Kinship.HEAD, Kinship.CHILD)


def test_the_form_of_particulars_makes_no_second_head(
    session: Session, family: Household, signed_in: Browser, clerk: User
) -> None:
    wife = named(session, "Phạm Thị Vợ")
    page = signed_in(clerk).get(f"/people/{wife.id}/edit").text
    version = page.split('name="version"')[1].split('value="')[1].split('"')[0]
    sent = {"full_name": "Phạm Thị Vợ", "place": str(wife.place_id), "kinship": "head", "version": version}
    answer = signed_in(clerk).post(f"/people/{wife.id}/edit", data=sent)
    assert answer.status_code == 422
    assert wife.kinship is Kinship.SPOUSE


def test_the_same_household_twice_becomes_one(
    session: Session, make: Make, family: Household, signed_in: Browser, clerk: User
) -> None:
    other = membership.found(
        session, [Living(make.prospect("Lê Văn Trùng").id, Kinship.HEAD)], by=clerk, at=clock.now()
    )
    browser, url = signed_in(clerk), f"/households/{family.id}/merge"
    assert str(other.id) in browser.get(f"{url}?q=le van trung").text
    assert browser.post(url, data={"other": str(other.id)}).status_code == 302
    assert browser.get(f"/households/{other.id}").location.endswith(f"/households/{family.id}")
    assert named(session, "Lê Văn Trùng").household_id == family.id


def test_after_a_visit_the_others_of_the_household_are_offered(
    session: Session, family: Household, signed_in: Browser, clerk: User
) -> None:
    browser, head = signed_in(clerk), named(session, "Lê Văn Chủ")
    sent = {"client_id": str(new_id()), "outcome": "considering", "channel": "home_visit"}
    page = browser.post(f"/people/{head.id}/visit", data=sent, follow_redirects=True).text
    assert "Nhân tiện đang ở nhà này" in page
    assert f"/people/{named(session, 'Phạm Thị Vợ').id}/visit" in page


def test_a_minority_ground_asks_for_the_paper_on_the_page(
    session: Session, make: Make, signed_in: Browser, clerk: User
) -> None:
    person, sent = make.prospect(), {"ground": "ethnic_minority", "since": "2019-10-01", "certificate": ""}
    page = signed_in(clerk).post(f"/people/{person.id}/grounds", data=sent)
    assert page.status_code == 422
    assert "Không ghi tên dân tộc" in page.text
    sent["certificate"] = "Giấy khai sinh 5/2001"
    assert signed_in(clerk).post(f"/people/{person.id}/grounds", data=sent).status_code == 302
    assert grounds_on(session, person, TODAY) == (Ground.ETHNIC_MINORITY,)


# ---- other programs


def test_programs_found_change_and_read_households(
    session: Session, make: Make, client: FlaskClient, api: Callable[..., dict[str, str]], clerk: User, volunteer: User
) -> None:
    head, wife = make.prospect("Lê Văn Chủ", volunteer_id=volunteer.id), make.prospect("Phạm Thị Vợ")
    own, url = api(clerk), "/api/v1/households"
    members = [{"prospect_id": str(head.id), "kinship": "head"}, {"prospect_id": str(wife.id), "kinship": "spouse"}]
    sent = {"members": members, "code": "38-7", "address": "Số 9 Trần Phú"}
    made = client.post(url, json=sent, headers=own)
    assert made.status_code == 201, made.json
    assert (made.json["address"], head.address) == ("Số 9 Trần Phú", None)
    home = f"{url}/{made.json['id']}"
    assert (made.json["head_id"], made.json["unseen"], made.json["standing"]) == (str(head.id), 0, "other")
    assert client.post(url, json={"members": members}, headers=own).status_code == 422
    paper = {"ground": "poor", "number": "12/GCN", "year": 2019}
    told = client.post(f"{home}/certificates", json=paper, headers=own).json
    assert (told["standing"], told["certificates"][0]["until"]) == ("poor", "2019-12-31")
    child = make.prospect("Lê Thị Út")
    joining = {"prospect_id": str(child.id), "kinship": "child", "on": "2019-09-01"}
    assert client.post(f"{home}/members", json=joining, headers=own).status_code == 200
    assert client.get(f"/api/v1/prospects/{child.id}", headers=own).json["standing"] == "poor"
    left = client.post(f"{home}/members/{child.id}/leave", json={"on": "2019-10-01"}, headers=own)
    assert left.status_code == 204
    assert client.get(f"/api/v1/prospects/{child.id}", headers=own).json["standing"] == "other"
    assert client.put(f"{home}/head", json={"prospect_id": str(wife.id)}, headers=own).json["head_id"] == str(wife.id)
    assert client.patch(home, json={"address": "Ngõ 9"}, headers=own).json["address"] == "Ngõ 9"
    seen = client.get(home, headers=api(volunteer)).json
    assert ([one["full_name"] for one in seen["members"]], seen["unseen"]) == (["Lê Văn Chủ"], 1)
    assert [row["id"] for row in client.get(f"{url}?code=38-7", headers=own).json["items"]] == [made.json["id"]]
    short = client.get(url, headers=api(volunteer)).json["items"][0]
    assert (short["member_ids"], short["people"]) == ([str(head.id)], 2)
    paper = told["certificates"][0]["id"]
    ended = client.post(f"{home}/certificates/{paper}/end", json={"on": "2019-10-10"}, headers=own)
    assert ended.json["standing"] == "other"
    assert client.get(home, headers=api(make.user(Role.VOLUNTEER))).status_code == 404


def test_programs_renew_certificates(
    session: Session, make: Make, client: FlaskClient, api: Callable[..., dict[str, str]], clerk: User
) -> None:
    one = make.prospect("Lê Văn Chủ")
    home = membership.found(session, [Living(one.id, Kinship.HEAD)], by=clerk, at=clock.now())
    certificates.certify(session, home, Ground.POOR, "1/2019", 2019, by=clerk, at=clock.now())
    own, url = api(clerk), "/api/v1/renewals"
    assert [row["state"] for row in client.get(url, headers=own).json["items"]] == ["not_yet"]
    sent = {"household_id": str(home.id), "year": 2020}
    assert client.post(url, json=sent, headers=own).status_code == 422
    assert client.post(url, json=sent | {"no_longer": True}, headers=own).status_code == 204
    assert client.get(f"{url}?state=no_longer&year=2019", headers=own).json["items"][0]["household_id"] == str(home.id)
    assert client.post(url, json=sent | {"number": "1/2020"}, headers=own).status_code == 204
    assert [row["state"] for row in client.get(url, headers=own).json["items"]] == ["renewed"]


def test_a_program_may_send_just_the_ground_or_the_paper_with_it(
    make: Make, client: FlaskClient, api: Callable[..., dict[str, str]], clerk: User
) -> None:
    sent = {"full_name": "Lê Văn Mới", "place": "14812", "grounds": ["ethnic_minority"]}
    bare = client.post("/api/v1/prospects", json=sent, headers=api(clerk))
    assert bare.status_code == 201
    assert UUID(bare.json["id"])
    sent = {**sent, "full_name": "Hà Thị Khác"}
    sent["grounds"] = [{"ground": "ethnic_minority", "certificate": "Giấy khai sinh 5/2001"}]  # type: ignore[list-item]
    made = client.post("/api/v1/prospects", json=sent, headers=api(clerk))
    assert made.status_code == 201
    assert UUID(made.json["id"])
