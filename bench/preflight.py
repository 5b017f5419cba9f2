"""Looking at everybody of a large campaign, and launching it: how long for a hundred thousand people.

`python -m bench --only preflight [--people 100000]`: everybody has a phone of their own and agreed; the text names them,
their ward and the least they would pay, so that hardly two texts are alike; and once a text of few shapes.
"""

from __future__ import annotations

import os
import time
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.accounts.services import add_user
from crm.campaigns.models import Message
from crm.campaigns.preflight import checking
from crm.campaigns.preflight.rules.sums import Sums
from crm.campaigns.rules.stages import Content
from crm.campaigns.services import drafting, launching
from crm.db import plain_engine, transaction
from crm.demo.copying import copy_rows
from crm.demo.names import full_name
from crm.ids import new_id
from crm.names import fold, sort_key
from crm.places.queries import the_town, units
from crm.prospects.models import Consent, Prospect
from crm.prospects.rules import Purpose, Sex, Stage

GOAL = 10.0
TEXTS = (
    ("few shapes", "Mời {xung_ho} {ten} đến nhà văn hóa nghe về BHXH tự nguyện."),
    ("nearly every text its own", "Mời {xung_ho} {ho_ten} ở {phuong} tham gia BHXH tự nguyện, chỉ từ {so_tien}/tháng."),
)


class Took(NamedTuple):
    """Seconds, and what came of it."""

    name: str
    shapes: int
    messages: int
    looking: float
    computing: float
    """Of the looking, what this process computed: the rest is the database, and waiting for the machine."""
    launching: float


def measure(app: Flask, people: int) -> str:
    """Fill a town, look at everybody and launch, once for each text."""
    with app.app_context():
        upgrade()
        with transaction() as session:
            town_id = the_town(session).id
            by_id = _organiser(session, town_id)
            _people(session, town_id, people)
        with plain_engine(app.config["MIGRATE_DATABASE_URL"]).connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("vacuum analyze"))
        return report([_once(town_id, by_id, name, words) for name, words in TEXTS], people)


def _organiser(session: Session, town_id: UUID) -> UUID:
    told: dict[str, Any] = {"full_name": "Tổ Chức", "role": Role.ORGANISER, "password_hash": None}
    return add_user(session, town_id, "to-chuc@example.vn", **told, at=clock.now()).id


def _once(town_id: UUID, by_id: UUID, name: str, words: str) -> Took:
    at, address = clock.now(), "https://ansinh.example.vn"
    with transaction() as session:
        content = Content(name, words, Purpose.PROMOTION)
        campaign = drafting.draft_campaign(session, town_id, content, by_id=by_id, at=at)
        check = checking.ask(session, campaign, by_id=by_id, at=at)
    began, computed = time.perf_counter(), time.process_time()
    with transaction() as session:
        checking.make(session, town_id, check.id, public_url=address, at=at)
    looked, computed = time.perf_counter(), time.process_time() - computed
    with transaction() as session:
        launching.launch(session, campaign, public_url=address, by_id=by_id, at=at)
    launched = time.perf_counter()
    with transaction() as session:
        many = session.scalar(select(func.count()).where(Message.campaign_id == campaign.id)) or 0
        shapes = Sums.from_json(check.facts).shapes
    return Took(name, shapes, many, looked - began, computed, launched - looked)


def _people(session: Session, town_id: UUID, many: int) -> None:
    """Everybody with a mobile of their own, who agreed to promotions."""
    chance, at = Random(2019), clock.now()
    wards = [place.id for place in session.scalars(units(town_id, clock.today()))]
    people: list[tuple[Any, ...]] = []
    said: list[tuple[Any, ...]] = []
    for number in range(many):
        sex, year = chance.choice((Sex.FEMALE, Sex.MALE)), chance.randint(1955, 2000)
        name, phone = full_name(chance, sex, year), f"+849{10_000_000 + number:08d}"
        who = (town_id, new_id(), name, fold(name), sort_key(name), sex.value, year, phone, chance.choice(wards))
        people.append((*who, Stage.INTERESTED.value, at, at, 1))
        said.append((town_id, new_id(), phone, Purpose.PROMOTION.value, True, "paper", at, at))
    names = ("town_id", "id", "full_name", "name_fold", "name_key", "sex", "birth_year", "phone", "place_id")
    copy_rows(session, Prospect, (*names, "stage", "created_at", "updated_at", "version"), people)
    consent = ("town_id", "id", "phone", "purpose", "given", "channel", "at", "recorded_at")
    copy_rows(session, Consent, consent, said)


def report(took: list[Took], people: int) -> str:
    """What was measured, in Markdown."""
    lines = [
        f"{clock.today()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end.",
        "",
        "### A campaign looked at and launched",
        "",
        f"{people:,} people with a phone each; every message written, counted both ways and kept.",
        "",
        "| text | different texts | messages | looking at everybody, s | of that computing | goal | reached | launching, s |",
        "| --- | ---: | ---: | ---: | ---: | ---: | --- | ---: |",
    ]
    return "\n".join(
        lines
        + [
            f"| {one.name} | {one.shapes:,} | {one.messages:,} | {one.looking:.1f} | {one.computing:.1f} | ≤ {GOAL:g} "
            f"| {'yes' if one.looking <= GOAL else 'no'} | {one.launching:.1f} |"
            for one in took
        ]
    )
