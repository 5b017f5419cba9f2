"""The `crm` command. Whatever a person can do wrong is answered by one line and exit code 2."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from copy import copy
from functools import wraps
from pathlib import Path
from typing import Any

import click
from flask import Flask
from flask_babel import gettext as _
from flask_migrate import upgrade
from sqlalchemy.exc import OperationalError, ProgrammingError

from config import SettingsError
from crm.accounts.commands import token, user
from crm.demo.commands import demo
from crm.embedded.services import CannotRun
from crm.errors import NotFound, RuleBroken
from crm.premiums.commands import law, premium
from crm.processes import beat_command, up, web_command, worker_command
from crm.prospects.importing.commands import importing
from crm.reports.commands import report
from crm.reports.forecast.commands import forecast
from crm.reports.rounds.commands import rounds
from crm.running import program
from crm.safekeeping.commands import backup, doctor, restore
from crm.timekeeping.commands import clock_command
from crm.told import Told
from crm.usage import sentence_of
from crm.web import language

Command = Callable[..., Any]


def data_dir_option() -> click.Option:
    """The option every command has."""
    kind = click.Path(file_okay=False, path_type=Path)
    return click.Option(["--data-dir"], type=kind, help="Where the database and files of this installation are.")


def in_program(command: click.Command) -> click.Command:
    """A command that runs inside the program, with its services up; the given one stays as it is."""
    command, act = copy(command), command.callback
    if isinstance(command, click.Group):
        command.commands = {name: in_program(inner) for name, inner in command.commands.items()}
        return command
    assert act is not None

    @wraps(act)
    def inside(*args: Any, data_dir: Path | None = None, **kwargs: Any) -> Any:
        with program(data_dir or click.get_current_context().find_root().obj):
            return act(*args, **kwargs)

    command.callback = inside
    command.params = [*command.params, data_dir_option()]
    return command


EXPECTED = (
    click.UsageError,
    CannotRun,
    RuleBroken,
    SettingsError,
    ValueError,
    NotFound,
    OperationalError,
    ProgrammingError,
)
"""What a person can do something about."""


class Commands(click.Group):
    """The group that turns expected failures into one line."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except EXPECTED as failure:
            told = _sentence(failure)
            if told is None:
                raise
            raise Told(told) from failure


def _sentence(failure: Exception) -> Any:
    """What one says of a failure, in the language of commands; the program it happened in has ended. None: unexpected."""
    speaker = Flask("crm")
    language.install(speaker)
    with speaker.app_context():
        match failure:
            case click.UsageError():
                return sentence_of(failure)
            case NotFound():
                return _("There is no such thing here.")
            case OperationalError():
                why = str(failure.orig).splitlines()[0]
                return _("The database cannot be reached (%(why)s). Check DATABASE_URL, then try again.", why=why)
            case ProgrammingError():
                empty = "does not exist" in str(failure.orig)
                return _("The database has no tables yet: run `crm migrate` first.") if empty else None
        return str(failure)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="CRM_DATA_DIR",
    help="Where the database and files of this installation are; may also stand after the command.",
)
@click.pass_context
def main(context: click.Context, data_dir: Path | None) -> None:
    """An Sinh: the outreach register for voluntary social insurance."""
    context.obj = data_dir


@click.command()
def migrate() -> None:
    """Bring the schema to its newest version."""
    upgrade()
    click.echo("The schema is up to date.")


for each in (
    migrate,
    importing,
    premium,
    law,
    user,
    token,
    backup,
    restore,
    doctor,
    clock_command,
    report,
    forecast,
    rounds,
    demo,
):
    main.add_command(in_program(each))
for each in (up, web_command, worker_command, beat_command):
    main.add_command(each)

if __name__ == "__main__":
    sys.exit(main(prog_name=os.environ.get("CRM_NAME", "crm")))
