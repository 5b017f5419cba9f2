"""`crm migrate`, `crm backup`, `crm restore`."""

from __future__ import annotations

from pathlib import Path

import click
from flask import current_app
from flask_babel import gettext as _
from flask_migrate import upgrade
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from crm import clock
from crm.db import session, transaction
from crm.errors import RuleBroken
from crm.privileges import BEFORE_RIGHTS
from crm.safekeeping import gateway, services

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
def migrate() -> None:
    """Bring the schema to its newest version."""
    upgrade()
    click.echo("The schema is up to date.")


@click.command()
@click.argument("file", type=FILE)
def backup(file: Path) -> None:
    """Write the whole database to FILE. Keep the data directory's secrets.json apart from it."""
    if not file.absolute().parent.is_dir():
        raise RuleBroken(_("There is no folder %(folder)s: make it first.", folder=file.absolute().parent))
    with transaction() as current:
        services.before_backup(current, clock.now())
    gateway.dump(current_app.config["MIGRATE_DATABASE_URL"], file)
    click.echo(f"Saved {file} ({file.stat().st_size:,} bytes).")


@click.command()
@click.argument("file", type=FILE)
@click.option("--yes", is_flag=True, help="Do not ask before replacing what is there.")
def restore(file: Path, yes: bool) -> None:
    """Replace the database by FILE. Pending SMS wait until an operator releases them."""
    if not file.is_file():
        raise RuleBroken(_("There is no file %(file)s. Check its name.", file=file))
    gateway.contents(file)
    if not yes:
        click.confirm("Everything in the database now will be replaced. Go on?", abort=True, err=True)
    session().close()
    gateway.load(current_app.config["MIGRATE_DATABASE_URL"], file)
    epoch = _held_before_anybody_may_write()
    click.echo(f"Restored {file}; epoch {epoch}. Pending SMS are held until an operator releases them.")


def _held_before_anybody_may_write() -> int:
    """Bring the schema up to date; the hold on all messages is committed together with the rights of the everyday role, so
    that no worker still running can send in between. The new epoch."""
    epochs: list[int] = []

    def hold(connection: Connection) -> None:
        with Session(connection) as current:
            epochs.append(services.after_restore(current, clock.now()))
            current.flush()

    current_app.extensions[BEFORE_RIGHTS] = hold
    try:
        upgrade()
    finally:
        del current_app.extensions[BEFORE_RIGHTS]
    return epochs[-1]
