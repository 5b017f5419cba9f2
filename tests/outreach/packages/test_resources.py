"""`/api/v1/work-packages`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from crm.accounts.models import User
from crm.places.models import Place
from crm.prospects.models import Prospect
from tests.factories import Make
from tests.outreach.packages.conftest import Give

Headers = Callable[..., dict[str, str]]
URL = "/api/v1/work-packages"


def read(answer: TestResponse) -> Any:
    """What an answer says."""
    return answer.json


def test_a_program_gives_a_neighbourhood(
    client: FlaskClient, api: Headers, phuong: User, lan: User, part: Place, people: list[Prospect]
) -> None:
    sent = {
        "volunteer_id": str(lan.id),
        "until": "2019-10-20",
        "name": "Khu phố 3",
        "out_of": {"place": str(part.id), "size": 3},
    }
    answer = client.post(URL, json=sent, headers=api(phuong))
    assert answer.status_code == 201, answer.json
    assert (read(answer)["people"], read(answer)["left"], read(answer)["ending"]) == (3, 3, None)
    assert [one["prospect_id"] for one in read(answer)["members"]] == [str(people[i].id) for i in (1, 2, 3)]
    mine = read(client.get(f"{URL}?out=true", headers=api(lan)))
    assert [one["id"] for one in mine["items"]] == [read(answer)["id"]]
    assert read(client.get(f"{URL}?out=false", headers=api(lan)))["items"] == []
    more = client.post(f"{URL}/{read(answer)['id']}/extend", json={"days": 3}, headers=api(phuong))
    assert read(more)["until"] == "2019-10-23"
    back = client.post(f"{URL}/{read(answer)['id']}/return", json={"note": "Ốm"}, headers=api(lan))
    assert (read(back)["ending"], read(back)["returned"], read(back)["members"]) == ("handed_back", 3, [])
    seen = read(client.get(f"{URL}/{read(answer)['id']}", headers=api(phuong)))
    assert [one["settled"] for one in seen["members"]] == ["returned"] * 3


def test_people_by_name_and_only_once(
    client: FlaskClient, api: Headers, make: Make, phuong: User, lan: User, people: list[Prospect]
) -> None:
    sent = {"volunteer_id": str(lan.id), "until": "2019-10-20", "name": "A", "prospect_ids": [str(people[0].id)]}
    assert client.post(URL, json=sent, headers=api(phuong)).status_code == 201
    again = client.post(URL, json=sent, headers=api(phuong))
    assert (again.status_code, read(again)["code"]) == (409, "given_meanwhile")
    assert client.post(URL, json=sent, headers=api(lan)).status_code == 403
    neither = {key: value for key, value in sent.items() if key != "prospect_ids"}
    assert client.post(URL, json=neither, headers=api(phuong)).status_code == 422


def test_a_list_is_read_page_by_page(
    client: FlaskClient, api: Headers, give: Give, phuong: User, people: list[Prospect]
) -> None:
    for one in people[:3]:
        give([one])
    first = read(client.get(f"{URL}?limit=2", headers=api(phuong)))
    rest = read(client.get(f"{URL}?limit=2&cursor={first['next']}", headers=api(phuong)))
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (2, 1, None)
    assert len({one["id"] for one in first["items"] + rest["items"]}) == 3
