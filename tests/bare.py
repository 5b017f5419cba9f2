"""The program with no database behind it: for what can be read off its routes, its templates and its description."""

from __future__ import annotations

from flask import Flask

from config import Settings
from crm.app import create_app


def bare() -> Flask:
    """All of the program; whatever asks the database fails."""
    nowhere = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"
    return create_app(Settings(database_url=nowhere, migrate_database_url=nowhere, redis_url=""))
