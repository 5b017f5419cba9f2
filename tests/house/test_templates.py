"""Every template stands."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from crm.sandbox.app import Setup, create_sandbox
from tests.house.sources import TEMPLATES


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The stand-in for the carrier draws its own pages."""
    app = create_sandbox(Setup(store=str(tmp_path_factory.mktemp("sandbox") / "sms.sqlite"), account="AC", token="t"))
    yield app
    _, store, postman = app.extensions["sandbox"]
    postman.end()
    postman.join(timeout=5)
    store.close()


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_compiles(name: str, _app: Flask, sandbox: Flask) -> None:
    (sandbox if name.startswith("sandbox/") else _app).jinja_env.get_template(name)
