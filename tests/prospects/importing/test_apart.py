"""A large file is understood by a process of its own, which says what this one would say."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from crm.ids import new_id
from crm.prospects.importing.rules import CHUNK
from crm.prospects.importing.services.apart import EndedEarly, understood_apart
from crm.prospects.importing.services.understanding import Asked, Made, Opened, Refused, understood
from crm.sealed import current as seal
from tests.prospects.importing.test_work import many

pytestmark = pytest.mark.usefixtures("_app")


def asked(content: bytes) -> Asked:
    return Asked(
        town_id=new_id(), import_id=new_id(), content=content, filename="a.csv", options={}, today=date(2019, 10, 15),
        ward_id=new_id(), neighbourhood=None, wards=(), within=None, seal=seal(),
    )  # fmt: skip


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """The processes that are started."""
    started: list[subprocess.Popen[bytes]] = []
    plain = subprocess.Popen

    def popen(*args: Any, **kwargs: Any) -> subprocess.Popen[bytes]:
        started.append(plain(*args, **kwargs))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", popen)
    return started


def sizes(said: Iterator[Any]) -> list[Any]:
    """What was said, without ids and seals, which are new each time."""
    return [(one.many, len(one.rows), len(one.people)) if isinstance(one, Made) else one for one in said]


def test_another_process_says_the_same(children: list[subprocess.Popen[bytes]]) -> None:
    one = asked(many(CHUNK + 50))
    here, there = sizes(understood(one)), sizes(understood_apart(one))
    assert here == there
    assert [type(said) for said in here[:1]] == [Opened]
    assert [said[0] for said in here[1:]] == [CHUNK, 50]
    assert children[0].returncode is not None


def test_another_process_says_what_is_wrong_with_the_file() -> None:
    said = list(understood_apart(asked(b"%PDF-1.4 and so on")))
    assert [type(one) for one in said] == [Refused]


def test_a_process_that_goes_away_is_no_end_of_the_file(children: list[subprocess.Popen[bytes]]) -> None:
    said = understood_apart(asked(many(6 * CHUNK)))
    assert isinstance(next(said), Opened)
    children[0].kill()
    with pytest.raises(EndedEarly):
        list(said)


def test_it_goes_when_nobody_listens_any_more(children: list[subprocess.Popen[bytes]]) -> None:
    said = understood_apart(asked(many(6 * CHUNK)))
    next(said)
    said.close()  # type: ignore[attr-defined]
    assert children[0].returncode is not None
