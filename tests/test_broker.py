"""The broker is away: what people hand in is kept and dealt with later, and they still get in."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy.orm import Session

import tasks.campaigns
import tasks.prospects
from config import Settings
from crm.accounts.rules import Role
from crm.app import create_app
from crm.background import ring
from crm.campaigns.models import Campaign, Message
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.rules.stages import Stage
from crm.prospects.models import Consent, ListImport
from crm.prospects.rules import ConsentChannel, ImportState, Purpose
from tests.conftest import NOW, be_current, set_time
from tests.factories import Make
from tests.scope.asking import Caller

PATIENCE = 3.0
"""Seconds in which a page answers even so."""
UNREACHABLE = "redis://127.0.0.1:1/0"


@pytest.fixture(scope="module")
def _deaf(settings: Settings) -> Flask:
    app = create_app(replace(settings, redis_url=UNREACHABLE))
    app.config.update(WTF_CSRF_ENABLED=False, RATELIMIT_ENABLED=True)
    return app


@pytest.fixture
def deaf(_app: Flask, _deaf: Flask) -> Iterator[Flask]:
    """The same program where nobody hears a bell."""
    set_time(NOW)
    _deaf.extensions["celery"].set_current()
    yield _deaf
    be_current(_app)


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What the sweeps ring for."""
    rung: list[tuple[str, ...]] = []

    def note(task: Any, *ids: str) -> bool:
        rung.append((task.name, *ids))
        return True

    for module in (tasks.prospects, tasks.campaigns):
        monkeypatch.setattr(module, "ring", note)
    return rung


@pytest.mark.committed
def test_a_list_handed_in_while_the_broker_is_away_is_read_later(
    app: Flask, deaf: Flask, make: Make, session: Session, heard: list[tuple[str, ...]]
) -> None:
    user, ward = make.user(Role.MANAGER), make.ward()
    token = make.token(user)
    session.commit()
    caller, began = Caller(deaf, user, token), time.monotonic()
    file = (io.BytesIO("Họ và tên,Năm sinh\nLê Thị Na,1980\n".encode()), "ds.csv")
    answer = caller.send("POST", "/imports/new", {"file": file, "place": str(ward.id)})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    assert time.monotonic() - began < PATIENCE
    import_id = UUID(answer.location.rsplit("/", 1)[1])
    session.expire_all()
    assert session.get_one(ListImport, (make.town.id, import_id)).state is ImportState.QUEUED
    session.commit()
    tasks.prospects.resume_lists.run()
    assert heard == [("prospects.read_list", str(import_id))]


@pytest.mark.committed
def test_a_campaign_launched_while_the_broker_is_away_is_sent_later(
    app: Flask, deaf: Flask, make: Make, session: Session, heard: list[tuple[str, ...]]
) -> None:
    user = make.user(Role.ORGANISER)
    token = make.token(user)
    person = make.prospect("Lê Thị Na", phone=make.phone())
    said = {"phone": person.phone, "purpose": Purpose.PROMOTION, "given": True, "channel": ConsentChannel.PAPER}
    make.add(Consent(town_id=make.town.id, at=NOW, recorded_at=NOW, **said))
    campaign = make.add(
        Campaign(
            town_id=make.town.id,
            name="Mời",
            text="Mời {ten}",
            purpose=Purpose.PROMOTION,
            segment={},
            created_by_id=user.id,
            created_at=NOW,
        )
    )
    session.commit()
    answer = Caller(deaf, user, token).send("POST", f"/api/v1/campaigns/{campaign.id}/launch")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    session.expire_all()
    assert campaign.stage is Stage.RUNNING
    assert [message.state for message in session.query(Message)] == [Delivery.QUEUED]
    session.commit()
    tasks.campaigns.sweep.run()
    assert heard == [("campaigns.send_some",)]


@pytest.mark.committed
def test_whoever_signs_in_gets_in_while_the_broker_is_away(
    app: Flask, deaf: Flask, make: Make, session: Session
) -> None:
    user = make.user(Role.MANAGER)
    session.commit()
    caller = Caller(deaf, user, None)
    assert caller.send("POST", "/sign-in", {"email": "x@example.vn", "password": "sai mật khẩu"}).status_code in (
        200,
        302,
    )
    assert caller.get("/people").status_code == 200
    assert caller.get("/readyz").status_code == 503
    assert not ring(tasks.prospects.read_list, "5f0c2f5e-7d7c-4d0e-8a52-111111111111")
