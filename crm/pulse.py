"""Signs of life that the background programs give in the broker, and what their silence means.

A sign is an empty key that goes away after a day. How long ago it was given is what of that day is gone by, told by the
broker alone: the clocks of two machines are never compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from functools import lru_cache
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from crm.embedded.brokers import broker_urls

KEPT = 86_400
"""Seconds a sign is kept; who gave none for so long counts as never having given one."""
PATIENCE = 1.0
"""Seconds the broker has to answer."""


class Sign(StrEnum):
    """Who says that they live, or what was lately done."""

    WORKER = "worker"
    SENDER = "sender"
    LOOKED = "looked"
    """Somebody looked for messages that may leave: the timetable, the broker, the worker and the database all work."""


PATIENT: Mapping[Sign, float] = {Sign.WORKER: 30.0, Sign.SENDER: 30.0, Sign.LOOKED: 60.0}
"""Seconds after which silence means that something is wrong."""


class Standstill(StrEnum):
    """Why nothing goes on."""

    NO_BROKER = "no_broker"
    NO_SENDER = "no_sender"
    NOT_LOOKED = "not_looked"
    NO_WORKER = "no_worker"


Ages = Mapping[Sign, float | None]
"""Seconds since each sign; None for one that was not given within a day."""


@lru_cache(maxsize=4)
def _broker(redis_url: str) -> Any:
    address = broker_urls(redis_url).redis_py
    return Redis.from_url(address, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)


def give(redis_url: str, sign: Sign) -> None:
    """Give a sign; a broker that is away hears none."""
    if redis_url:
        with suppress(RedisError, OSError):
            _broker(redis_url).set(_key(sign), "", ex=KEPT)


def ages(redis_url: str) -> Ages | None:
    """How long ago each sign was given; None when the broker does not answer."""
    if not redis_url:
        return None
    try:
        asked = _broker(redis_url).pipeline(transaction=False)
        for sign in Sign:
            asked.pttl(_key(sign))
        left = asked.execute()
    except (RedisError, OSError):
        return None
    return {sign: KEPT - ms / 1000 if ms > 0 else None for sign, ms in zip(Sign, left, strict=True)}


def _key(sign: Sign) -> str:
    return f"ansinh/pulse/{sign}"


def _silent(told: Ages, sign: Sign) -> bool:
    age = told[sign]
    return age is None or age > PATIENT[sign]


def of_messages(told: Ages | None) -> Standstill | None:
    """Why no message leaves; None while somebody looks for them."""
    if told is None:
        return Standstill.NO_BROKER
    if not _silent(told, Sign.LOOKED):
        return None
    return Standstill.NO_SENDER if _silent(told, Sign.SENDER) else Standstill.NOT_LOOKED


def of_work(told: Ages | None) -> Standstill | None:
    """Why lists, reports and other long work stand still; None while a worker lives."""
    if told is None:
        return Standstill.NO_BROKER
    return Standstill.NO_WORKER if _silent(told, Sign.WORKER) else None
