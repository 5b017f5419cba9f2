"""Every template stands."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from flask import Flask
from jinja2.meta import find_undeclared_variables
from jinja2.nodes import Call, Name

from crm.sandbox.app import Setup, create_sandbox
from tests.house.sources import ROOT, TEMPLATES, walked


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


def test_no_page_gives_a_name_that_its_layout_calls(program: Flask) -> None:
    """A page's own name hides the program's: a number under the name of what draws the menu, and the page falls."""
    trees = {name: program.jinja_env.parse((ROOT / "templates" / name).read_text("utf-8")) for name in TEMPLATES}
    layouts = [tree for name, tree in trees.items() if name.startswith(("layouts/", "components/"))]
    called = {call.node.name for tree in layouts for call in tree.find_all(Call) if isinstance(call.node, Name)}
    called &= set(program.jinja_env.globals)
    wrong = [
        f"{source}: {given.arg}"
        for source, found in walked("render_template")
        for node in found
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "render_template"
        for given in node.keywords
        if given.arg in called
    ]
    wrong += [
        f"{name}: {node.name}"
        for name, tree in trees.items()
        if not name.startswith("components/")
        for node in tree.find_all(Name)
        if node.ctx == "store" and node.name in called
    ]
    assert "shell_piece" in called
    assert not wrong, "\n".join(wrong)
