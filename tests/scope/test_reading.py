"""Whoever looks, wherever they look: nobody out of sight is named, and whoever is in sight can be opened."""

from __future__ import annotations

import pytest

from tests.scope.asking import HERE, IN_THEIR_OWN_TOWN, Asker, Caller, refused
from tests.scope.town import AWAY, JOINED, MERGED, SEES, SmallTown

EVERYBODY = list(SEES)
SOME = ("lead of an organisation", "lead of both", "volunteer", "manager of another town")
MOST_PAGES = 15
OPENED_FOR_EVERYBODY = {"prospects.show", "prospects_api.one"}
ASKED_EVERYTHING = {
    "prospects.listing",
    "prospects_api.listed",
    "outreach.listing",
    "participation.listing",
    "campaigns.messages",
}
"""Addresses where nobody and nothing is left out; elsewhere people and questions take turns, from role to role."""
FEW = 3
NOT_OF_PEOPLE = {"see_own_account", "manage_accounts", "move_clock", "change_law", "see_law", "see_targets"}
"""Permissions whose lists are not asked in every way: there is nobody in them."""


def narrowed(town: SmallTown) -> list[str]:
    """Questions that ask for people out of sight, put to every address."""
    away, front = town.people["zeta"].row, town.front
    return [
        f"prospect_id={away.id}",
        f"prospect={away.id}",
        f"place={town.wards[2].id}",
        f"organisation={front.id}",
        f"organisation={front.code}",
        f"assigned_to={town.users['another volunteer'].id}",
        f"held_by={town.users['another volunteer'].id}",
        f"user_id={town.users['volunteer'].id}",
        f"campaign={town.drafts['running'].id}",
        f"sponsor_id={town.sponsor.id}",
        "kind=due",
        "kind=joined&organisation=none",
        "by=volunteer",
        "assigned_to=nobody",
        "q=Nguyen+Thi",
        "q=91555",
        "all=1&q=thi",
    ]


NOBODYS = {"numbers_api.consents": (404,), "forecast_api.forecast": (404,), "own_wish.my_wish": (404,)}
"""Asked here about a number that nobody in sight has, for a forecast of a town that has none yet, and for the wish of an
account that belongs to no sponsor."""


@pytest.mark.parametrize("who", EVERYBODY)
def test_no_answer_names_anybody_out_of_sight(asker: Asker, who: str) -> None:
    caller, told = asker.as_(who), []
    for address in asker.by_turns(who, "GET", whole=OPENED_FOR_EVERYBODY):
        answer = caller.get(address.url)
        assert answer.status_code < 500, address.url
        told += asker.leaks(who, answer, address.url)
        if address.mixed:
            continue
        if address.owner is None and asker.may_open(who, address.endpoint, "GET"):
            assert answer.status_code in (200, 302, *NOBODYS.get(address.endpoint, ())), address.url
        if asker.outside(who, address.owner):
            own = (who, address.endpoint) in IN_THEIR_OWN_TOWN
            assert own or refused(answer), f"{address.url} of {address.owner} opens for {who}"
        elif address.owner not in (None, HERE) and asker.may_open(who, address.endpoint, "GET"):
            mine = answer.status_code != 404 or address.endpoint.startswith(
                ("amendments", "events", "imports", "list_imports", "lists", "reorganisations")
            )
            assert mine, f"{address.url} of {address.owner} does not open for {who}"
    assert not told, "\n".join(told)


@pytest.mark.parametrize("who", SOME)
def test_no_list_names_anybody_out_of_sight_whatever_is_asked(asker: Asker, who: str) -> None:
    caller, told, asked, nth = asker.as_(who), list[str](), narrowed(asker.town), 7 * SOME.index(who)
    for address in asker.addresses("GET"):
        if address.owner is None and asker.may_open(who, address.endpoint, "GET", but=NOT_OF_PEOPLE):
            nth += 1
            few = (
                asked
                if address.endpoint in ASKED_EVERYTHING
                else [asked[(nth + step) % len(asked)] for step in range(FEW)]
            )
            for question in [*few, *(["limit=1"] if address.url.startswith("/api/") else [])]:
                told += read_on(asker, caller, who, f"{address.url}{'&' if '?' in address.url else '?'}{question}")
    assert not told, "\n".join(told)


def read_on(asker: Asker, caller: Caller, who: str, url: str) -> list[str]:
    """What the pages of a list tell of people out of sight, to its end."""
    told, base = list[str](), url
    for _ in range(MOST_PAGES):
        answer = caller.get(url)
        assert answer.status_code < 500, url
        told += asker.leaks(who, answer, url)
        following = answer.json.get("next") if answer.is_json and isinstance(answer.json, dict) else None
        if not following or "cursor" not in url + "limit=1&cursor":
            break
        url = f"{base}&cursor={following}"
    return told


LISTS = {
    "/people": "listed",
    "/people?q=nguyen": "listed",
    "/api/v1/prospects": "listed",
    "/visits": "all",
    "/participation": "joined",
    "/participation?kind=due": "joined",
    "/participation?kind=joined": "joined",
    "/messages": "all",
    "/api/v1/messages": "all",
}
"""Lists, and which of those in sight must stand in them."""


@pytest.mark.parametrize("who", [who for who in EVERYBODY if who not in ("sponsor", "nobody signed in")])
def test_lists_show_exactly_those_in_sight(asker: Asker, who: str) -> None:
    caller, seen = asker.as_(who), SEES[who]
    wanted = {
        "all": seen,
        "listed": seen - {MERGED},
        "joined": seen & {*JOINED, AWAY},
    }
    for url, which in LISTS.items():
        answer = caller.get(url)
        if answer.status_code == 403:
            assert url.endswith("messages"), url
            continue
        text = answer.get_data(as_text=True)
        assert {key for key, known in asker.town.people.items() if known.word in text} == wanted[which], url


@pytest.mark.parametrize("who", ["treasurer", "auditor", "manager of another town", "lead of a ward"])
def test_the_sponsors_lists_show_those_in_sight_to_whoever_sees_money(asker: Asker, who: str) -> None:
    caller, people = asker.as_(who), asker.town.people
    for url in (f"/sponsors/{asker.town.sponsor.id}", "/api/v1/allocations"):
        answer = caller.get(url)
        if not refused(answer):
            text = answer.get_data(as_text=True)
            shown = {key for key, known in people.items() if known.word in text or known.ids & set(ids_in(text))}
            assert shown == SEES[who] - {MERGED}, url


def ids_in(text: str) -> list[str]:
    """Whatever stands between quotes."""
    return text.split('"')


@pytest.mark.parametrize("who", ["volunteer", "another volunteer", "agent", "lead of a ward"])
def test_todays_list_is_of_ones_own_people(asker: Asker, who: str) -> None:
    """Leads read besides whom nobody looks after and who has waited too long, as far as they see people at all."""
    text, user = asker.as_(who).get("/today").get_data(as_text=True), asker.town.users[who]
    own = {key for key, known in asker.town.people.items() if known.row.volunteer_id == user.id}
    told = {key for key, known in asker.town.people.items() if known.word in text}
    assert told >= own if who.startswith("lead") else told == own
    assert not {key for key in told if asker.outside(who, key)}
