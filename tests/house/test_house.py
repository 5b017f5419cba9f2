"""The rules of the house that a machine can check."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import configure_mappers

from config import Settings, SettingsError, from_environment
from crm.app import ALSO_PUBLIC, create_app
from crm.db import db, plain_engine
from crm.web.guard import permission_of
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
        "crm/running.py",
        "crm/safekeeping/commands.py",
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


def test_every_route_names_a_permission(_app: Flask) -> None:
    silent = [
        f"{method} {rule}"
        for rule in _app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}
        if rule.endpoint not in ALSO_PUBLIC
        and not rule.endpoint.startswith("security.")
        and permission_of(_app, rule.endpoint, method) is None
    ]
    assert silent == []


def test_there_is_one_head_and_the_models_are_what_was_migrated(app: Flask) -> None:
    script = ScriptDirectory(str(ROOT / "migrations"))
    assert len(script.get_heads()) == 1
    configure_mappers()
    with plain_engine(app.config["MIGRATE_DATABASE_URL"]).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, db.metadata)
    assert differences == []


def in_database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def test_every_revision_goes_up_and_down(settings: Settings) -> None:
    with plain_engine(settings.migrate_database_url).connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text("drop database if exists up_and_down"))
        connection.execute(text("create database up_and_down"))
    elsewhere = Settings(
        database_url=in_database(settings.database_url, "up_and_down"),
        migrate_database_url=in_database(settings.migrate_database_url, "up_and_down"),
        redis_url=settings.redis_url,
    )
    with create_app(elsewhere).app_context():
        upgrade()
        downgrade(revision="base")
        with plain_engine(elsewhere.migrate_database_url).connect() as connection:
            left = connection.scalars(text("select tablename from pg_tables where schemaname = 'public'")).all()
        assert left == ["alembic_version"]
        upgrade()


@pytest.mark.parametrize("missing", ["SECRET_KEY", "IDENTITY_KEY"])
def test_production_does_not_start_without_its_secrets(missing: str) -> None:
    environ = {
        "CRM_ENV": "production",
        "DATABASE_URL": "postgresql://x/y",
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
                "SECRET_KEY": "s" * 40,
                "IDENTITY_KEY": "i" * 40,
                "CRM_CLOCK": "2019-10-15T09:00",
            }
        )
