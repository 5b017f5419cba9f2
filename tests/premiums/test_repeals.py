"""What holds names a document that binds: after a repeal the same value stands on the law that took its place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from crm import clock
from crm.premiums import routes
from crm.premiums.rules.keys import LawKey
from crm.premiums.rules.repeals import Repeal, repealed
from crm.premiums.services import law_as_shipped, repeals

LAW = law_as_shipped()


@pytest.mark.parametrize("day", [*sorted({one.since for one in repeals()}), date(2026, 1, 1), date(2026, 12, 1)])
def test_no_value_in_force_has_a_source_that_was_repealed(day: date) -> None:
    stale = [row.reference for row in LAW.on(day).rows.values() if repealed(row.document, day, repeals())]
    assert not stale


def test_the_day_before_the_old_documents_still_stand() -> None:
    for one in repeals():
        eve = one.since - timedelta(days=1)
        assert any(one.document in row.document for row in LAW.on(eve).rows.values()), one.document
        assert repealed(one.document, eve, repeals()) is None


def test_only_the_sources_are_new_no_value_changed() -> None:
    new = date(2025, 7, 1)
    for key in (LawKey.CONTRIBUTION_PERCENT, LawKey.CEILING_MULTIPLE, LawKey.SUPPORT_CAP_MONTHS, LawKey.WINDOW_YEARLY):
        before, after = LAW.on(new - timedelta(days=1)).row(key), LAW.on(new).row(key)
        assert before.value == after.value
        assert before.document != after.document
        assert (after.since, after.article[:4]) == (new, "Điều")


def test_the_laws_page_says_of_a_value_that_its_document_is_gone(
    client: FlaskClient, at_time: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_time(clock.at(date(2026, 7, 15), 9))
    page = client.get("/law?open=all").text
    assert "hết hiệu lực từ" not in page
    gone = Repeal("Luật Bảo hiểm xã hội 41/2024/QH15", date(2026, 7, 1), "Luật 1/2026/QH16", "thử")
    monkeypatch.setattr(routes, "repeals", lambda: (gone,))
    page = client.get("/law?open=all").text
    assert "Văn bản này hết hiệu lực từ 1/7/2026 (Luật 1/2026/QH16)" in page
