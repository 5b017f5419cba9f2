"""The `crm` command. Whatever a person can do wrong is answered by one line and exit code 2.

A command's module is read when the command is asked for: the help and what is mistyped are answered without the program.
"""

from __future__ import annotations

import sys
from copy import copy
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

import click

from crm.named import read
from crm.told import Told


class Listed(NamedTuple):
    """A command in the list of all."""

    where: str
    """«module:name»."""
    help: str
    """How the command begins to say what it does."""
    in_program: bool = True
    """Whether it runs inside the program, with the services up."""


COMMANDS = {
    "backup": Listed("crm.safekeeping.commands.keeping:backup", "Write the whole database to FILE."),
    "beat": Listed("crm.processes:beat_command", "The timetable alone; two of them do no harm.", in_program=False),
    "clock": Listed("crm.timekeeping.commands:clock_command", "Print the program's time; or let it be MOMENT"),
    "demo": Listed("crm.demo.commands:demo", "A believable town to try everything in."),
    "doctor": Listed(
        "crm.safekeeping.commands.doctor:doctor",
        "Check settings, database, broker, workers, clock, disk, paid months and Twilio; one line each.",
    ),
    "forecast": Listed(
        "crm.reports.forecast.commands:forecast",
        "When the target is reached, with a range, and how earlier forecasts did.",
    ),
    "import": Listed("crm.prospects.importing.commands:importing", "Lists of people."),
    "law": Listed("crm.premiums.commands:law", "The law on record, with its documents."),
    "migrate": Listed("crm.safekeeping.commands.keeping:migrate", "Bring the schema to its newest version."),
    "premium": Listed("crm.premiums.commands:premium", "What a premium costs, who helps, and by which rules."),
    "report": Listed("crm.reports.commands:report", "Write a report of KIND"),
    "restore": Listed("crm.safekeeping.commands.keeping:restore", "Replace the database by FILE."),
    "rounds": Listed(
        "crm.reports.rounds.commands:rounds", "The last twelve reporting rounds and the units that have not reported"
    ),
    "token": Listed("crm.accounts.commands:token", "Keys for other programs."),
    "up": Listed(
        "crm.processes:up",
        "Start everything: database, broker, web, workers, timetable and, without Twilio, the SMS sandbox",
        in_program=False,
    ),
    "user": Listed("crm.accounts.commands:user", "People who sign in."),
    "web": Listed("crm.processes:web_command", "The web role alone.", in_program=False),
    "worker": Listed("crm.processes:worker_command", "The background role alone.", in_program=False),
}


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
        with read("crm.running:program")(data_dir or click.get_current_context().find_root().obj):
            return act(*args, **kwargs)

    command.callback = inside
    command.params = [*command.params, data_dir_option()]
    return command


class Commands(click.Group):
    """The group that reads a command when it is named, and turns what a person can mend into one line."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        listed = COMMANDS.get(name)
        if listed is None:
            return None
        found: click.Command = read(listed.where)
        return in_program(found) if listed.in_program else found

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, listed.help) for name, listed in COMMANDS.items()])

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except click.exceptions.Exit:
            raise
        except Exception as failure:
            told = read("crm.usage:why")(failure)
            if told is None:
                raise
            raise Told(told) from failure


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


if __name__ == "__main__":
    sys.exit(main(prog_name="crm"))
