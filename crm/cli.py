"""The `crm` command. Whatever a person can do wrong is answered by one line and exit code 2."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click
from flask_migrate import upgrade
from sqlalchemy.exc import OperationalError, ProgrammingError

from config import SettingsError
from crm.accounts.commands import token, user
from crm.demo.commands import demo
from crm.embedded.services import CannotRun
from crm.errors import NotFound, RuleBroken
from crm.premiums.commands import premium
from crm.processes import beat_command, up, web_command, worker_command
from crm.prospects.importing.commands import importing
from crm.reports.commands import report
from crm.running import program
from crm.safekeeping.commands import backup, doctor, restore
from crm.timekeeping.commands import clock_command

Command = Callable[..., Any]


class Told(click.ClickException):
    """One line on standard error."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        click.echo(" ".join(str(self.message).split()), err=True)


def data_dir_option() -> click.Option:
    """The option every command has."""
    kind = click.Path(file_okay=False, path_type=Path)
    return click.Option(["--data-dir"], type=kind, help="Where the database and files of this installation are.")


def in_program(command: click.Command) -> click.Command:
    """Run a command inside the program, with its services up."""
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            command.commands[name] = in_program(inner)
        return command
    act = command.callback
    assert act is not None

    @wraps(act)
    def inside(*args: Any, data_dir: Path | None = None, **kwargs: Any) -> Any:
        with program(data_dir or click.get_current_context().find_root().obj):
            return act(*args, **kwargs)

    command.callback = inside
    command.params.append(data_dir_option())
    return command


class Commands(click.Group):
    """The group that turns expected failures into one line."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except click.UsageError as failure:
            raise Told(failure.format_message()) from failure
        except (CannotRun, RuleBroken, SettingsError, ValueError) as failure:
            raise Told(str(failure)) from failure
        except NotFound:
            raise Told("There is no such thing here.") from None
        except OperationalError as failure:
            raise Told(f"The database cannot be reached: {str(failure.orig).splitlines()[0]}") from failure
        except ProgrammingError as failure:
            if "does not exist" in str(failure.orig):
                raise Told("The database has no tables yet: run `crm migrate` first.") from failure
            raise


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


for each in (migrate, importing, premium, user, token, backup, restore, doctor, clock_command, report, demo):
    main.add_command(in_program(each))
for each in (up, web_command, worker_command, beat_command):
    main.add_command(each)

if __name__ == "__main__":
    sys.exit(main(prog_name=os.environ.get("CRM_NAME", "crm")))
