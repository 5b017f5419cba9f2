"""The program for one command, with its services up."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade

from config import from_environment
from crm.app import create_app
from crm.environment import environment


@contextmanager
def program(data_dir: Path | None) -> Iterator[Flask]:
    """The program inside an app context, at its own time, for one command.

    A database of the data directory is brought to head first; one that others run is left to `crm migrate`.
    """
    own_database = not os.environ.get("DATABASE_URL")
    with environment(data_dir) as env:
        app = create_app(from_environment(env))
        with app.app_context():
            if own_database:
                upgrade()
            app.extensions["clock"].refresh()
            yield app
