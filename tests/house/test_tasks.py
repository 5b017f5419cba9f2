"""Every task is on the timetable or is rung by something, and every line of the timetable names a task."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from functools import cache

import pytest
from celery import current_app

import tasks
from tasks.schedule import TIMETABLE
from tests.house.sources import walked

for found in pkgutil.iter_modules(tasks.__path__):
    if found.name != "worker":
        importlib.import_module(f"tasks.{found.name}")
OURS = {name: task for name, task in current_app.tasks.items() if task.__module__.startswith("tasks.")}
SCHEDULED = {line["task"] for line in TIMETABLE.values()}


@cache
def rung() -> set[str]:
    """The names that stand as the first argument of ring() anywhere."""
    return {
        node.args[0].id if isinstance(node.args[0], ast.Name) else node.args[0].attr
        for _source, nodes in walked("ring(")
        for node in nodes
        if isinstance(node, ast.Call)
        and (getattr(node.func, "id", None) == "ring" or getattr(node.func, "attr", None) == "ring")
        and node.args
        and isinstance(node.args[0], ast.Name | ast.Attribute)
    }


@pytest.mark.parametrize("name", sorted(OURS))
def test_something_calls_every_task(name: str) -> None:
    assert name in SCHEDULED or OURS[name].__name__ in rung()


def test_the_timetable_names_only_tasks() -> None:
    assert set(OURS) >= SCHEDULED
