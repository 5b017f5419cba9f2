"""One Valkey or Redis, three spellings of its address."""

from typing import NamedTuple
from urllib.parse import parse_qs, quote, urlsplit


class BrokerUrls(NamedTuple):
    """The same server and database number as redis-py, Celery (broker and backend) and limits spell it."""

    redis_py: str
    celery: str
    limits: str


def broker_urls(redis_url: str) -> BrokerUrls:
    """The three spellings of `unix:///p.sock?db=5` ; over TCP all three are the same."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return BrokerUrls(redis_url, redis_url, redis_url)
    asked = parse_qs(parts.query)
    number = asked.get("db", ["0"])[0]
    password = parts.password or quote(asked.get("password", [""])[0], safe="")
    place = f"{parts.username or ''}:{password}@{parts.path}" if password else parts.path
    return BrokerUrls(
        redis_py=f"unix://{place}?db={number}",
        celery=f"redis+socket://{place}?virtual_host={number}",
        limits=f"redis+unix://{place}?db={number}",
    )
