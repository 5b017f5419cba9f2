"""Figures count those in sight and nobody else: asked once more in plain SQL, by names written down by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask, template_rendered
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.scope.asking import Asker
from tests.scope.town import MERGED, SEES, TODAY

NO_FIGURES = ("sponsor", "nobody signed in")
THE_SAME = ("admin", "organiser", "treasurer")
WHO = [who for who in SEES if who not in NO_FIGURES + THE_SAME]
LOOKS_BACK = [who for who in WHO if who not in ("volunteer", "another volunteer", "agent", "volunteer of another town")]
"""Those with the home of figures."""


@contextmanager
def contexts(app: Flask) -> Iterator[list[dict[str, Any]]]:
    """What templates are given."""
    found: list[dict[str, Any]] = []

    def keep(_sender: Any, context: dict[str, Any], **_more: Any) -> None:
        found.append(context)

    with template_rendered.connected_to(keep, app):
        yield found


class Plain:
    """Counts in plain SQL of the people somebody sees, by their ids."""

    def __init__(self, session: Session, asker: Asker, who: str) -> None:
        self.session = session
        self.ids = [asker.town.people[key].row.id for key in SEES[who] - {MERGED}]

    def people(self, where: str = "true") -> int:
        return self._count(f"select count(*) from prospect where id = any(:ids) and {where}")

    def spells(self, where: str) -> int:
        return self._count(f"select count(*) from participation where prospect_id = any(:ids) and {where}")

    def by(self, column: str) -> dict[str | None, int]:
        rows = self.session.execute(
            text(f"select {column}::text, count(*) from prospect where id = any(:ids) group by 1"), {"ids": self.ids}
        )
        return {row[0]: row[1] for row in rows}

    def _count(self, query: str) -> int:
        return int(self.session.scalar(text(query), {"ids": self.ids, "today": TODAY}) or 0)


@pytest.mark.parametrize("who", WHO)
def test_lists_say_how_many_there_are(app: Flask, asker: Asker, session: Session, who: str) -> None:
    caller, plain = asker.as_(who), Plain(session, asker, who)
    asked = {
        "": "true",
        "?stage=agreed": "stage = 'agreed'",
        "?assigned_to=nobody": "volunteer_id is null",
        "?due_before=2019-10-15": "next_contact_on < :today",
    }
    for question, where in asked.items():
        with contexts(app) as given:
            caller.get(f"/people{question}")
        assert given[0]["count"] == len(given[0]["people"]) == plain.people(where), question
    with contexts(app) as given:
        caller.get("/participation")
    assert given[0]["total"] == len(given[0]["shown"].rows) == plain.spells("ended_on is null")


@pytest.mark.parametrize("who", LOOKS_BACK)
def test_the_home_of_figures_counts_those_in_sight(app: Flask, asker: Asker, session: Session, who: str) -> None:
    plain = Plain(session, asker, who)
    with contexts(app) as given:
        assert asker.as_(who).get("/dashboard").status_code == 200
    home = given[0]["home"]
    assert {str(stage): number for stage, number in home.stages.items() if number} == plain.by("stage")
    stock = plain.spells("started_on <= :today and (ended_on is null or ended_on > :today)")
    assert home.moved.now == stock
    assert home.moved.joined == plain.spells("started_on between '2019-01-01' and :today")
    assert sum(row.moved.now for row in home.places) == sum(row.moved.now for row in home.organisations) == stock
    assert home.to_decide.unassigned == plain.people("volunteer_id is null")
    assert home.to_decide.stale == plain.people("next_contact_on < :today")
    assert home.to_decide.due == plain.spells("deadline_on between :today and :today + 30")


@pytest.mark.parametrize("who", LOOKS_BACK)
def test_the_pipeline_adds_up_to_those_in_sight(asker: Asker, session: Session, who: str) -> None:
    caller, plain = asker.as_(who), Plain(session, asker, who)
    for by, column in (("place", "place_id"), ("organisation", "organisation_id"), ("volunteer", "volunteer_id")):
        told = caller.get(f"/api/v1/reports/pipeline?by={by}").json
        assert told is not None
        assert {row["key"]: row["people"] for row in told["items"]} == plain.by(column)
        assert all(sum(row["stages"].values()) == row["people"] for row in told["items"])
    months = caller.get("/api/v1/reports/pipeline?by=month").json
    assert months is not None
    assert months["items"][-1]["people"] == plain.people()


@pytest.mark.parametrize("who", ["manager", "lead of a ward", "lead of nothing", "manager of another town"])
def test_a_campaign_counts_only_those_in_sight(asker: Asker, who: str) -> None:
    town, people = asker.town, len(SEES[who] - {MERGED})
    away = who.endswith("another town")
    campaign = town.other["campaign_id"] if away else town.drafts["draft"].id
    told = asker.as_(who).get(f"/api/v1/campaigns/{campaign}/preflight").json
    assert told is not None
    assert (told["people"], told["messages"]) == (people, people)
