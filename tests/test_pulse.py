"""Background programs give signs of life; whoever waits is told when they fall silent, and what to start."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from config import Settings
from crm import pulse
from crm.accounts.rules import Role
from crm.embedded.brokers import broker_urls
from crm.pulse import KEPT, Ages, Sign, Standstill, of_messages, of_work
from crm.queues import Queue
from crm.safekeeping.commands.doctor import _workers
from crm.workers import worker_argv, workers
from tasks.campaigns import send_some

SignedIn = Callable[..., FlaskClient]
NOWHERE = "unix:///nowhere/at/all.sock"


@pytest.fixture
def quiet(settings: Settings) -> Iterator[Redis]:
    """The broker, in which nobody has given a sign."""
    broker = Redis.from_url(broker_urls(settings.redis_url).redis_py)
    keys = [f"ansinh/pulse/{sign}" for sign in Sign]
    broker.delete(*keys)
    yield broker
    broker.delete(*keys)


@pytest.mark.parametrize(
    ("told", "messages", "work"),
    [
        ({Sign.WORKER: 2, Sign.SENDER: 2, Sign.LOOKED: 11}, None, None),
        ({Sign.WORKER: 2, Sign.SENDER: 2, Sign.LOOKED: 61}, Standstill.NOT_LOOKED, None),
        ({Sign.WORKER: 2, Sign.SENDER: 31, Sign.LOOKED: 61}, Standstill.NO_SENDER, None),
        ({Sign.WORKER: 31, Sign.SENDER: 31, Sign.LOOKED: 59}, None, Standstill.NO_WORKER),
        ({Sign.WORKER: None, Sign.SENDER: None, Sign.LOOKED: None}, Standstill.NO_SENDER, Standstill.NO_WORKER),
        (None, Standstill.NO_BROKER, Standstill.NO_BROKER),
    ],
)
def test_silence_says_what_is_wrong(told: Ages | None, messages: Standstill | None, work: Standstill | None) -> None:
    assert (of_messages(told), of_work(told)) == (messages, work)


def test_how_long_ago_a_sign_was_given_is_told_by_the_broker(settings: Settings, quiet: Redis) -> None:
    assert pulse.ages(settings.redis_url) == dict.fromkeys(Sign)
    pulse.give(settings.redis_url, Sign.WORKER)
    quiet.set(f"ansinh/pulse/{Sign.SENDER}", "", ex=KEPT - 40)
    told = pulse.ages(settings.redis_url)
    assert told is not None
    assert told[Sign.LOOKED] is None
    worker, sender = told[Sign.WORKER], told[Sign.SENDER]
    assert worker is not None
    assert sender is not None
    assert sender - worker == pytest.approx(40, abs=5)


def test_a_broker_that_is_away_hurts_nobody(app: Flask) -> None:
    pulse.give(NOWHERE, Sign.LOOKED)
    assert pulse.ages(NOWHERE) is None
    assert pulse.ages("") is None


def test_who_looked_for_messages_says_so(app: Flask, settings: Settings, quiet: Redis) -> None:
    send_some()
    told = pulse.ages(settings.redis_url)
    assert told is not None
    assert told[Sign.LOOKED] is not None
    assert of_messages(told) is None


def test_a_watchman_a_page_and_the_doctor_are_told(
    signed_in: SignedIn, settings: Settings, quiet: Redis, client: FlaskClient
) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.get_json() == {"status": "ok", "messages": "no_sender", "work": "no_worker"}
    office = signed_in(Role.ORGANISER)
    assert "crm up" in office.get("/standstill?of=messages").get_json()["words"]
    assert office.get("/standstill?of=anything").status_code == 404
    fine, words = _workers(settings)
    assert not fine
    assert "crm up" in words
    for sign in Sign:
        pulse.give(settings.redis_url, sign)
    assert client.get("/healthz").get_json() == {"status": "ok", "messages": "ok", "work": "ok"}
    assert office.get("/standstill?of=work").get_json() == {"words": ""}
    assert _workers(settings)[0]


def test_what_leads_to_a_message_has_a_worker_of_its_own(app: Flask) -> None:
    celery = app.extensions["celery"]

    def queue_of(name: str) -> str:
        route = celery.amqp.router.route({}, name)
        return str(route["queue"].name if "queue" in route else celery.conf.task_default_queue)

    on_the_way = ("campaigns.send_some", "reminders.queue_due", "launching.check", "mail.send_some", "files.make_file")
    assert {queue_of(name) for name in on_the_way} == {Queue.MESSAGES}
    long_work = ("prospects.commit_list", "documents.count", "files.load_results", "numbers.work_on_list")
    assert {queue_of(name) for name in long_work} == {Queue.WORK}


def test_each_queue_has_a_worker_of_its_own_even_when_both_are_started_at_once() -> None:
    argvs = [worker_argv(queue) for queue in Queue]
    assert [argv[argv.index("-Q") + 1] for argv in argvs] == [queue.value for queue in Queue]
    assert [child.argv for child in workers()] == argvs
