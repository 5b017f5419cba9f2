"""Every template stands."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from jinja2.meta import find_undeclared_variables
from jinja2.nodes import Name

from crm.sandbox.app import Setup, create_sandbox
from tests.house.sources import ROOT, TEMPLATES


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
def test_a_template_compiles(name: str, program: Flask, sandbox: Flask) -> None:
    (sandbox if name.startswith("sandbox/") else program).jinja_env.get_template(name)


def test_macros_that_ask_who_is_looking_are_imported_with_context(program: Flask) -> None:
    """Without it a name of the page is nothing in a macro, which shows only once the line that uses it is drawn."""
    known, needing, wrong = {*program.jinja_env.globals, "loop", "caller", "varargs", "kwargs"}, {}, []
    for name in TEMPLATES:
        for line in re.findall(r"{%-?\s*(?:from|import)\s[^%]*%}", (ROOT / "templates" / name).read_text("utf-8")):
            source = line.split('"')[1]
            if source not in needing:
                tree = program.jinja_env.parse((ROOT / "templates" / source).read_text("utf-8"))
                own = {node.name for node in tree.find_all(Name) if node.ctx == "store"}
                needing[source] = sorted(find_undeclared_variables(tree) - known - own)
            if needing[source] and "with context" not in line:
                wrong.append(f"{name} imports {source} without context, which needs {', '.join(needing[source])}")
    assert not wrong, "\n".join(wrong)
