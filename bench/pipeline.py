"""The pipeline's questions of the whole town, in a large register: `python -m bench --only pipeline [--people 1000000]`.

Everybody was called on three times within a year and went from stage to stage twice. Each question is asked as the page
asks it, of a year and of a month, after one time that does not count.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.people import fill
from crm import clock
from crm.accounts.queries import Scope
from crm.accounts.rules import Reach, Role
from crm.accounts.services import add_user
from crm.db import plain_engine, session, transaction
from crm.participation.rules import Span
from crm.places.queries import the_town
from crm.reports.pipeline import counting, queries, standing
from crm.reports.pipeline.queries import Among
from crm.reports.pipeline.rules import Division
from crm.reports.rules import By

GOAL = 3.0
"""Seconds for the whole page at a million people."""
TIMES = 3

WENT = """
insert into stage_change (town_id, id, prospect_id, from_stage, to_stage, at, by_id)
select p.town_id, gen_random_uuid(), p.id, case turn when 1 then 'new' else 'considering' end,
       case turn when 1 then 'considering' else p.stage end,
       p.created_at - interval '1 day' * (20 * turn + abs(hashtext(p.id::text)) % 300), :by
from prospect p, generate_series(1, 2) turn where p.town_id = :town and (turn = 1 or p.stage <> 'considering')
"""

Ask = Callable[[Session, Among, Span], Any]
QUESTIONS: Mapping[str, Ask] = {
    "everybody by stage": counting.counts,
    "by ward": lambda current, among, span: counting.divided(current, among, span, Division.PLACE),
    "by volunteer": lambda current, among, span: counting.divided(current, among, span, Division.VOLUNTEER),
    "from step to step": queries.steps,
    "how long at a step": queries.stays,
    "why people said no": queries.refusals,
    "cohorts": lambda current, among, span: queries.cohorts(current, among, span.as_of),
    "where they stand, by ward": lambda current, among, span: standing.rows(current, among.scope, span.as_of, By.PLACE),
    "where they stood a month ago, by ward": lambda current, among, span: standing.rows(
        current, among.scope, span.as_of - timedelta(days=30), By.PLACE
    ),
    "where they stood at each month's end": lambda current, among, span: standing.rows(
        current, among.scope, span.as_of, By.MONTH
    ),
}
NOT_BY_ITSELF = ("everybody by stage", "by volunteer", *(name for name in QUESTIONS if name.startswith("where")))
"""The page adds the first up from its rows, and has one division at a time; the API asks the last by themselves."""


def measure(app: Flask, people: int) -> str:
    """Fill a town and ask."""
    with app.app_context():
        upgrade()
        with transaction() as current:
            town_id = the_town(current).id
            told: dict[str, Any] = {"full_name": "Quản Lý", "role": Role.MANAGER, "password_hash": None}
            by = add_user(current, town_id, "bench@example.vn", **told, at=clock.now())
            fill(current, by, people)
            current.execute(text(WENT), {"town": town_id, "by": by.id})
            by_id = by.id
        with plain_engine(app.config["MIGRATE_DATABASE_URL"]).connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("vacuum analyze"))
        return report(people, _asked(town_id, by_id))


def _asked(town_id: UUID, by_id: UUID) -> dict[str, dict[str, float]]:
    today = clock.today()
    among = Among(Scope(town_id, by_id, Reach.ALL, organisation_id=None, place_ids=None))
    spans = {"a year": Span(today - timedelta(days=364), today), "a month": Span(today - timedelta(days=29), today)}
    return {
        name: {words: _seconds(ask, among, span) for words, span in spans.items()} for name, ask in QUESTIONS.items()
    }


def _seconds(ask: Ask, among: Among, span: Span) -> float:
    ask(session(), among, span)
    took = []
    for _turn in range(TIMES):
        began = time.perf_counter()
        ask(session(), among, span)
        took.append(time.perf_counter() - began)
    return min(took)


def report(people: int, found: Mapping[str, Mapping[str, float]]) -> str:
    """The table, in Markdown."""
    lines = [f"| {name} | {one['a year']:.3f} | {one['a month']:.3f} |" for name, one in found.items()]
    whole = {
        words: sum(one[words] for name, one in found.items() if name not in NOT_BY_ITSELF)
        for words in ("a year", "a month")
    }
    reached = "yes" if whole["a year"] <= GOAL else "no"
    head = f"{clock.today()}, {people:,} people, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end."
    page = f"| **the page** (goal {GOAL:g} s: {reached}) | {whole['a year']:.2f} | {whole['a month']:.2f} |"
    return "\n".join([head, "", "| seconds | a year | a month |", "| --- | ---: | ---: |", *lines, page])
