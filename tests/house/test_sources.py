"""The rules of the house that are read off the sources; nothing of the program runs for them."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from config import SettingsError, from_environment
from tests.house.sources import ROOT, walked


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.splitlines()


def test_only_the_database_module_commits() -> None:
    committing = {
        str(source)
        for source, nodes in walked()
        for node in nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    }
    allowed = {"crm/db.py"}
    beside = {name for name in committing if name.startswith(("crm/sandbox/", "crm/embedded/"))}
    assert committing - beside == allowed


def test_nothing_is_imported_inside_a_function() -> None:
    inside = [
        f"{source}:{node.lineno}"
        for source, nodes in walked()
        for function in nodes
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not inside


def test_only_the_clock_asks_the_time() -> None:
    asking = [
        f"{source}:{node.lineno}"
        for source, nodes in walked()
        for node in nodes
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("now", "today", "utcnow")
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in ("datetime", "date")
    ]
    allowed = (
        "crm/clock.py",
        "crm/stored_clock.py",
        "crm/environment.py",
        "crm/safekeeping/commands/",
        "crm/timekeeping/commands.py",
        "crm/sandbox/",
    )
    assert [place for place in asking if not place.startswith(allowed)] == []


@pytest.mark.parametrize("word", ["utils", "helpers", "common", "misc"])
def test_no_path_is_a_drawer_for_anything(word: str) -> None:
    assert [path for path in tracked() if word in Path(path).stem.split("_") or f"/{word}/" in path] == []


def test_no_registry_and_no_machine_is_named() -> None:
    halves = [("py", r"pi\.org"), ("pythonh", "osted"), ("registry.np", r"mjs"), ("deb.deb", r"ian\.org")]
    hosts = re.compile("|".join(map("".join, halves)), re.IGNORECASE)
    found = [
        path
        for path in tracked()
        if (ROOT / path).is_file() and hosts.search((ROOT / path).read_bytes().decode("utf-8", "ignore"))
    ]
    assert found == []


def test_every_package_says_what_it_is() -> None:
    silent = [
        str(source)
        for source, (module, *_inside) in walked()
        if isinstance(module, ast.Module)
        and (ast.get_docstring(module) is None or (source.name == "__init__.py" and len(module.body) > 1))
    ]
    assert silent == []


@pytest.mark.parametrize("missing", ["SECRET_KEY", "IDENTITY_KEY", "REDIS_URL"])
def test_production_does_not_start_without_its_secrets(missing: str) -> None:
    environ = {
        "CRM_ENV": "production",
        "DATABASE_URL": "postgresql://x/y",
        "REDIS_URL": "redis://x",
        "SECRET_KEY": "s" * 40,
        "IDENTITY_KEY": "i" * 40,
    }
    assert from_environment(environ).production
    del environ[missing]
    with pytest.raises(SettingsError, match=missing):
        from_environment(environ)


def test_production_does_not_move_its_clock() -> None:
    with pytest.raises(SettingsError, match="CRM_CLOCK"):
        from_environment(
            {
                "CRM_ENV": "production",
                "DATABASE_URL": "postgresql://x/y",
                "REDIS_URL": "redis://x",
                "SECRET_KEY": "s" * 40,
                "IDENTITY_KEY": "i" * 40,
                "CRM_CLOCK": "2019-10-15T09:00",
            }
        )
