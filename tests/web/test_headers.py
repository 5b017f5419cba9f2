"""What every answer carries."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient

from crm.accounts.rules import Role
from tests.factories import Make


def test_pages_load_nothing_from_elsewhere_and_are_not_kept(client: FlaskClient) -> None:
    headers = client.get("/").headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_the_api_asks_nobody_to_wait(client: FlaskClient, make: Make, api: Callable[..., dict[str, str]]) -> None:
    make.prospect("Nguyễn Thị Đăng")
    answer = client.get("/api/v1/prospects", headers=api(make.user(Role.MANAGER)))
    assert answer.get_json()["items"][0]["full_name"] == "Nguyễn Thị Đăng"
    assert "Retry-After" not in answer.headers
