"""The law's page: every number in one group, found by name or document, open where an address says so."""

from __future__ import annotations

import re

from flask.testing import FlaskClient

from crm.premiums.rules.groups import GROUPS, TITLES, Group
from crm.premiums.rules.keys import LawKey


def test_every_number_stands_in_one_group() -> None:
    grouped = [key for keys in GROUPS.values() for key in keys]
    assert sorted(grouped) == sorted(LawKey)
    assert set(GROUPS) == set(TITLES) == set(Group)


def opened(page: str) -> list[str]:
    return re.findall(r'id="group-(\w+)" data-open-in-print open', page)


def test_groups_are_closed_until_one_asks(client: FlaskClient) -> None:
    assert opened(client.get("/law").text) == []
    assert opened(client.get("/law?open=help").text) == ["help"]
    assert len(opened(client.get("/law?open=all").text)) == len(Group)


def test_one_finds_a_number_by_its_name_without_accents_or_by_its_document(client: FlaskClient) -> None:
    by_name = client.get("/law?q=tuoi%20nghi%20huu").text
    assert 'id="retirement_months_women"' in by_name
    assert 'id="poverty_line"' not in by_name
    by_document = client.get("/law?q=159/2025").text
    assert 'id="support_percent"' in by_document
    none = client.get("/law?q=%3Cb%3Enothing")
    assert none.status_code == 200
    assert "&lt;b&gt;nothing" in none.text
