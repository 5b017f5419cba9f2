"""A second tap, a page opened again, a program that repeats itself: what was done once is not done twice."""

from __future__ import annotations

import io
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from tests.scope.asking import Asker
from tests.scope.test_acting import changed, fingerprint, sent

DONE = ("idempotent_answer",)


def acts(asker: Asker) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Who sends what to where."""
    town = asker.town
    alpha, beta, sponsor = town.people["alpha"].row, town.people["beta"].row, town.sponsor.id
    run = {"sponsor_id": str(sponsor), "prospect_id": str(alpha.id), "start": "2020-01", "months": 1}
    money = {"sponsor_id": str(sponsor), "amount": 5_000_000, "reference": "FT77"}
    visit = {"occurred_at": "2019-10-14T08:00:00+07:00", "channel": "phone_call", "outcome": "interested"}
    new = {"full_name": "Lê Văn Mới", "place": str(town.wards[0].id), "ground": "other", "channel": "paper"}
    return {
        "visit": ("manager", f"/people/{alpha.id}/visit", sent(town, "outreach.save", "alpha")),
        "visit by a program": (
            "manager",
            "/api/v1/visits",
            {"client_id": str(uuid4()), "prospect_id": str(alpha.id), **visit},
        ),
        "joining": ("agent", f"/people/{alpha.id}/enrol", sent(town, "participation.enrol", "alpha")),
        "joining on the office's word": (
            "manager",
            f"/people/{alpha.id}/enrol",
            sent(town, "participation.enrol", "alpha"),
        ),
        "payment against a receipt": ("agent", f"/people/{beta.id}/pay", sent(town, "participation.pay", "beta")),
        "payment on the office's word": ("manager", f"/people/{beta.id}/pay", sent(town, "participation.pay", "beta")),
        "payment taken back": ("manager", f"/payments/{town.people['beta'].rows['payment_id'][0]}/reverse", {}),
        "stopping": ("manager", f"/people/{beta.id}/stop", {"ending": "stopped", "on": "2019-10-15"}),
        "new person": ("manager", "/people/new", {**new, "id": str(uuid4())}),
        "receipt": (
            "treasurer",
            f"/sponsors/{sponsor}/receipt",
            {"amount": "5000000", "received_on": "2019-10-14", "reference": "FT9", "pledge": ""},
        ),
        "receipt by a program": ("treasurer", "/api/v1/receipts", money),
        "allocation": (
            "treasurer",
            f"/sponsors/{sponsor}/help/{alpha.id}",
            sent(town, "sponsors.allocate", "alpha"),
        ),
        "allocation by a program": ("treasurer", "/api/v1/allocations", run),
        "money given back": ("treasurer", f"/allocations/{town.people['alpha'].rows['allocation_id'][0]}/release", {}),
        "launch": ("organiser", f"/campaigns/{town.drafts['draft'].id}/launch", {}),
        "assignment": (
            "manager",
            "/assign",
            {"people": [str(alpha.id)], "volunteer": str(town.users["another volunteer"].id)},
        ),
    }


WHAT = (
    "visit",
    "visit by a program",
    "joining",
    "joining on the office's word",
    "payment against a receipt",
    "payment on the office's word",
    "payment taken back",
    "stopping",
    "new person",
    "receipt",
    "receipt by a program",
    "allocation",
    "allocation by a program",
    "money given back",
    "launch",
    "assignment",
)


@pytest.mark.parametrize("what", WHAT)
def test_sent_twice_is_done_once(asker: Asker, session: Session, what: str) -> None:
    who, url, body = acts(asker)[what]
    for key in ("alpha", "beta"):
        asker.town.people[key].row.volunteer_id = asker.town.users["agent"].id
    caller, before = asker.as_(who), fingerprint(session)
    first = caller.send("POST", url, body)
    assert first.status_code < 400, first.get_data(as_text=True)
    after = fingerprint(session)
    assert changed(before, after)
    again = caller.send("POST", url, body)
    assert again.status_code < 500
    assert changed(after, fingerprint(session)) == []


def test_a_program_that_repeats_a_promise_with_its_key_makes_one(asker: Asker, session: Session) -> None:
    caller, body = asker.as_("treasurer"), {"sponsor_id": str(asker.town.sponsor.id), "amount": 1_000_000}
    caller.headers["Idempotency-Key"] = "một-lần".encode().hex()
    first = caller.send("POST", "/api/v1/pledges", body)
    after = fingerprint(session)
    again = caller.send("POST", "/api/v1/pledges", body)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    assert changed(after, fingerprint(session)) == []


def test_a_list_that_is_handed_in_twice_is_two_lists_and_both_are_kept_apart(asker: Asker) -> None:
    caller, seen = asker.as_("manager"), set()
    for _ in range(2):
        file = (io.BytesIO("Họ và tên,Năm sinh\nLê Thị Na,1980\n".encode()), "ds.csv")
        answer = caller.send("POST", "/imports/new", {"file": file, "place": str(asker.town.wards[0].id)})
        assert answer.status_code == 303, answer.get_data(as_text=True)
        seen.add(answer.location)
    assert len(seen) == 2
