"""Nobody acts on somebody out of sight: whatever is sent, the answer is no and no row changes."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from crm.db import db
from tests.scope.asking import HERE, IN_THEIR_OWN_TOWN, Asker, refused
from tests.scope.town import AWAY, SEES, SmallTown

CHANGING = ("POST", "PUT", "PATCH", "DELETE")
WHO = [
    "lead of a ward",
    "lead of an organisation",
    "lead of both",
    "lead of a neighbourhood",
    "lead of nothing",
    "volunteer",
    "agent",
    "admin",
    "manager of another town",
]


def sent(town: SmallTown, endpoint: str, key: str) -> dict[str, Any]:
    """What a person would send in earnest."""
    row = town.people[key].row
    proof = {"receipt_number": f"BL{key}", "confirmation": "CV 12"}
    paid = {"step": "record", "income": "700000", "months": "3", "paid_on": "2019-10-15", "alone": "y", **proof}
    read = {"voluntary": 7, "supported": 3, "compulsory": 0, "proof": "VssID"}
    return {
        "prospects.change": {"full_name": "Nguyễn Đổi", "place": str(row.place_id), "version": str(row.version)},
        "prospects.put_back": {"unit": "address"},
        "prospects.add_ground": {"ground": "near_poor", "since": "2019-01-01"},
        "prospects.answer": {"purpose": "service", "given": "no", "channel": "paper", "on": "2019-10-14"},
        "numbers.refuse": {"what": "all", "channel": "hotline"},
        "numbers.agree": {"purpose": "service", "channel": "paper", "on": "2019-10-15", "hour": "08:00", "words": "P7"},
        "inbox.give": {"to": ""},
        "numbers_api.reply": {"text": "Mai cháu qua"},
        "inbox.reply": {"words": "Mai cháu qua"},
        "outreach.save": {"client_id": str(uuid4()), "channel": "home_visit", "outcome": "agreed"},
        "outreach.amend": {"channel": "phone_call", "note": "đổi"},
        "participation.enrol": paid | {"start": "2019-10"},
        "participation.pay": paid | {"first_month": "2019-11"},
        "participation.stop": {"ending": "stopped", "on": "2019-10-15"},
        "elsewhere.write_down": read | {"through": "2019-09"},
        "insurance_record.write_down": read | {"through": "2019-09"},
        "sponsors.allocate": {"step": "confirm", "months": "1", "start": "2020-01"},
        "sponsors.pay": {"paid_on": "2019-10-15", **proof},
        "imports.decide": {"decision": "take"},
        "prospects_api.change": {"address": "chỗ khác"},
    }.get(endpoint, {})


def fingerprint(session: Session) -> dict[str, str]:
    """Every table in one line, so that any change shows."""
    names = [table.name for table in db.metadata.sorted_tables]
    parts = (
        f"select '{name}', coalesce(md5(string_agg(t::text, '|' order by t::text)), '') from {name} t" for name in names
    )
    return {row[0]: row[1] for row in session.execute(text(" union all ".join(parts)))}


def changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The tables that are not as they were."""
    return [name for name in before if before[name] != after[name]]


@pytest.mark.parametrize("who", WHO)
def test_acts_on_people_out_of_sight_are_refused_and_change_nothing(asker: Asker, session: Session, who: str) -> None:
    caller, before, told = asker.as_(who), fingerprint(session), list[str]()
    for method in CHANGING:
        for address in asker.by_turns(who, method):
            mixed = address.mixed and address.owner in SEES[who]
            if not (mixed or asker.outside(who, address.owner)) or (who, address.endpoint) in IN_THEIR_OWN_TOWN:
                continue
            key, bodies = address.owner or HERE, list[dict[str, Any]]([{}])
            if key in asker.town.people:
                bodies.append(sent(asker.town, address.endpoint, key))
            for body in bodies:
                answer = caller.send(method, address.url, body)
                no = refused(answer) or (not body and answer.status_code == 422)
                assert no, f"{method} {address.url} of {address.owner} as {who}: {answer.status_code}"
                told += asker.leaks(who, answer, address.url)
    assert not told, "\n".join(told)
    assert changed(before, fingerprint(session)) == []


@pytest.mark.parametrize("who", [one for one in WHO if one not in ("admin", "manager of another town")])
def test_people_out_of_sight_are_not_reached_by_what_a_body_names(asker: Asker, session: Session, who: str) -> None:
    caller, town = asker.as_(who), asker.town
    outside = [key for key in ("alpha", "gamma", "delta", "zeta", AWAY, "eta") if key not in SEES[who]]
    user, before, told = town.users[who], fingerprint(session), list[str]()
    for key in outside:
        row = town.people[key].row
        visit = {"occurred_at": "2019-10-14T08:00:00+07:00", "channel": "phone_call", "outcome": "agreed"}
        package = {"name": "Khu phố", "until": "2019-10-20"}
        acts: list[tuple[str, dict[str, Any]]] = [
            ("/api/v1/visits", {"client_id": str(uuid4()), "prospect_id": str(row.id), **visit}),
            ("/assign", {"people": [str(row.id)], "volunteer": str(user.id)}),
            ("/assign", {"people": [str(row.id)], "act": "take"}),
            ("/packages/new", {"people": [str(row.id)], **package, "volunteer": str(user.id)}),
            ("/api/v1/work-packages", {"prospect_ids": [str(row.id)], **package, "volunteer_id": str(user.id)}),
            ("/api/v1/allocations", {"sponsor_id": str(town.sponsor.id), "prospect_id": str(row.id), "months": 1}),
        ]
        if key != AWAY:  # there an id is free to be used again: it is a key only together with the town
            new = {"full_name": "Nguyễn Khác", "birth_year": 1988, "place": str(town.wards[0].id)}
            acts.append(("/api/v1/prospects", {"id": str(row.id), **new}))
        for url, body in acts:
            answer = caller.send("POST", url, body)
            assert 400 <= answer.status_code < 500, f"{url} {body} as {who}: {answer.status_code}"
            told += asker.leaks(who, answer, str(body))
    assert not told, "\n".join(told)
    assert changed(before, fingerprint(session)) == []


@pytest.mark.parametrize("who", ["lead of a ward", "volunteer", "agent"])
def test_somebody_like_a_person_out_of_sight_is_told_of_without_a_name(asker: Asker, who: str) -> None:
    caller, known, town = asker.as_(who), asker.town.people["zeta"], asker.town
    alike = {"full_name": "Nguyễn Thị " + known.word, "phone": known.row.phone, "place": str(town.wards[0].id)}
    page = caller.send("POST", "/people/new", alike | {"birth": "1970"})
    answer = caller.send("POST", "/api/v1/prospects", alike | {"birth_year": 1970})
    assert (page.status_code, answer.status_code) == (409, 409)
    assert answer.json is not None
    hidden = [one for one in answer.json["candidates"] if one["id"] is None]
    assert hidden
    assert all(one["full_name"] is None and one["birth_year"] is None and not one["evidence"] for one in hidden)
    assert str(known.row.id) not in page.text + answer.text
    assert f"Ngõ {known.word}" not in page.text + answer.text


ACTS = [
    ("prospects.change", "alpha"),
    ("prospects.add_ground", "alpha"),
    ("prospects.answer", "alpha"),
    ("prospects.numbers", "alpha"),
    ("numbers.refuse", "alpha"),
    ("numbers.at_the_door", "alpha"),
    ("inbox.reply", "alpha"),
    ("inbox.done", "alpha"),
    ("outreach.save", "alpha"),
    ("participation.enrol", "alpha"),
    ("participation.pay", "beta"),
    ("participation.stop", "beta"),
    ("participation.reverse", "beta"),
    ("sponsors.allocate", "alpha"),
    ("sponsors.release", "alpha"),
    ("prospects_api.change", "alpha"),
    ("elsewhere.write_down", "alpha"),
    ("insurance_record.write_down", "alpha"),
]
"""Acts in earnest and somebody they fit: the refusals above would be worth nothing if these were refused too."""
OTHER_METHODS = {"prospects_api.change": "PATCH", "insurance_record.write_down": "PUT"}


@pytest.mark.parametrize(("endpoint", "key"), ACTS)
def test_the_same_acts_on_somebody_in_sight_are_done(asker: Asker, session: Session, endpoint: str, key: str) -> None:
    caller, before = asker.as_("manager"), fingerprint(session)
    found = [one for one in asker.addresses(*CHANGING, of=[key]) if one.endpoint == endpoint and not one.mixed]
    [address] = found
    method = OTHER_METHODS.get(endpoint, "POST")
    answer = caller.send(method, address.url, sent(asker.town, endpoint, key))
    assert answer.status_code < 400, answer.get_data(as_text=True)
    assert changed(before, fingerprint(session))


def test_an_address_with_an_unknown_part_is_noticed(asker: Asker) -> None:
    """Whoever adds a route with a new kind of id has to say here whose it is."""
    assert all(address.url for address in asker.addresses("GET", *CHANGING))
    assert {address.owner for address in asker.addresses("GET")} >= {None, HERE, AWAY, "alpha"}
