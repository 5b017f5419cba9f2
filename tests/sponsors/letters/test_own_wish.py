"""A sponsor says anew whom they would like to help; what is done stays."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.prospects.rules import Ground
from crm.sponsors.matching.reading import read
from crm.sponsors.matching.rules.needs import Terms
from crm.sponsors.matching.rules.planning import propose
from crm.sponsors.models import Allocation, Sponsor
from crm.sponsors.rules import Wish
from crm.sponsors.services import change_wish
from tests.factories import Make
from tests.sponsors.letters.stories import with_page, words
from tests.sponsors.stories import A_MONTH, TODAY, allocate, poor, receive

Browser = Callable[..., FlaskClient]


def test_a_sponsor_changes_their_own_wish_and_what_is_done_stays(
    client: FlaskClient, signed_in: Browser, session: Session, make: Make
) -> None:
    by, token = with_page(make, wish=Wish(grounds=(Ground.POOR,), people=3))
    receive(by, 20 * A_MONTH)
    done = allocate(by, poor(make, "Lê Thị Trước"))
    poor(make, "Lê Thị Nghèo")
    near = poor(make, "Lê Thị Cận", Ground.NEAR_POOR)
    assert f"/s/{token}/wish" in client.get(f"/s/{token}").text
    page = client.get(f"/s/{token}/wish")
    assert page.headers["X-Robots-Tag"].startswith("noindex")
    assert 'value="3"' in page.text, "as they said last"
    assert Wish.from_json(by.wish).people == 3, "looking changes nothing"
    wrong = {"age_from": "60", "age_to": "40"}
    assert client.post(f"/s/{token}/wish", data=wrong).status_code == 422
    sent = {"grounds": "near_poor", "people": "5", "places": str(make.ward().id)}
    assert client.post(f"/s/{token}/wish", data=sent).status_code == 303
    session.refresh(by)
    assert Wish.from_json(by.wish) == Wish(places=(make.ward().id,), grounds=(Ground.NEAR_POOR,), people=5)
    assert "Hộ cận nghèo" in words(client.get(f"/s/{token}").text)
    assert session.get_one(Allocation, (by.town_id, done.id)).released_at is None
    known = read(session, make.town.id, TODAY, Terms(past_certificate=True))
    lines = propose(known.needs, known.offers, Terms()).lines
    assert [line.need.person_id for line in lines] == [near.id], "from now on"
    told = words(signed_in(Role.TREASURER).get(f"/sponsors/{by.id}/edit").text)
    assert "Hộ nghèo · 3 người →" in told, "staff see how it was"


def test_another_address_changes_nothing(client: FlaskClient, make: Make) -> None:
    by, token = with_page(make)
    for wrong in (token[:-1], token + "x", str(by.id)):
        assert client.get(f"/s/{wrong}/wish").status_code == 404
        assert client.post(f"/s/{wrong}/wish", data={"people": "9"}).status_code == 404
    assert by.wish == {}
    assert clock.today() == TODAY


def test_a_ward_that_is_no_more_stays_in_the_wish_that_names_it(
    client: FlaskClient, signed_in: Browser, session: Session, make: Make
) -> None:
    gone = make.ward("14818@2019-10-14")
    gone.valid_to = TODAY
    by, token = with_page(make, wish=Wish(places=(gone.id,)))
    office, shown = signed_in(Role.TREASURER), f'value="{gone.id}"'
    assert f"{gone.name} (đến" in words(client.get(f"/s/{token}").text), "they read what they wish"
    for browser, address in ((client, f"/s/{token}/wish"), (office, f"/sponsors/{by.id}/edit")):
        assert shown in browser.get(address).text, address
    assert client.post(f"/s/{token}/wish", data={"places": str(gone.id), "people": "5"}).status_code == 303
    session.refresh(by)
    assert Wish.from_json(by.wish) == Wish(places=(gone.id,), people=5)
    sent = {"name": by.name, "kind": by.kind.value, "language": "vi", "places": str(gone.id), "people": "6"}
    assert office.post(f"/sponsors/{by.id}/edit", data=sent).status_code == 303
    session.refresh(by)
    assert Wish.from_json(by.wish) == Wish(places=(gone.id,), people=6)
    other, _token = with_page(make, "Hội Khác")
    assert shown not in office.get(f"/sponsors/{other.id}/edit").text, "nobody wishes for it anew"


def test_a_new_wish_writes_nothing_back_that_was_put_right_meanwhile(session: Session, make: Make) -> None:
    by, _token = with_page(make, phone="0912345678")
    corrected = update(Sponsor).where(Sponsor.id == by.id).values(phone="+84987654321")
    session.execute(corrected, execution_options={"synchronize_session": False})
    change_wish(session, by, Wish(people=5), by_id=None, at=clock.now())
    kept = session.execute(select(Sponsor.phone, Sponsor.wish).where(Sponsor.id == by.id)).one()
    assert (kept.phone, kept.wish["people"]) == ("+84987654321", 5)
