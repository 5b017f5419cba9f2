"""Why a command cannot be done, in our words."""

from __future__ import annotations

from typing import Any

import click
from flask import Flask
from flask_babel import gettext as _
from sqlalchemy.exc import OperationalError, ProgrammingError

from config import SettingsError
from crm.embedded.services import CannotRun
from crm.errors import NotFound, RuleBroken
from crm.web import language


def why(failure: Exception) -> Any:
    """One sentence in the language of commands for what a person can do something about; the program it happened in has
    ended. None for anything else."""
    speaker = Flask("crm")
    language.install(speaker)
    with speaker.app_context():
        match failure:
            case click.UsageError():
                return sentence_of(failure)
            case NotFound():
                return _("There is no such thing here.")
            case OperationalError():
                said = str(failure.orig).splitlines()[0]
                return _("The database cannot be reached (%(why)s). Check DATABASE_URL, then try again.", why=said)
            case ProgrammingError():
                empty = "does not exist" in str(failure.orig)
                return _("The database has no tables yet: run `crm migrate` first.") if empty else None
            case CannotRun() | RuleBroken() | SettingsError() | ValueError():
                return str(failure)
    return None


def sentence_of(failure: click.UsageError) -> Any:
    """One sentence that names the part of the line that is wrong and what may stand there."""
    match failure:
        case click.exceptions.NoArgsIsHelpError():
            return failure.format_message()
        case click.NoSuchCommand():
            return _("There is no command “%(name)s”. See `crm --help`.", name=failure.command_name)
        case click.NoSuchOption():
            return _("There is no option %(name)s. See --help.", name=failure.option_name)
        case click.MissingParameter():
            return _("%(name)s is missing. See --help.", name=_name(failure))
        case click.BadParameter():
            return _bad(failure)
    return failure.format_message()


def _bad(failure: click.BadParameter) -> Any:
    name, kind = _name(failure), failure.param.type if failure.param else None
    if isinstance(kind, click.Choice):
        return _("%(name)s is one of: %(choices)s.", name=name, choices=", ".join(map(str, kind.choices)))
    if isinstance(kind, click.DateTime):
        return _("%(name)s is a day: write it as 2019-10-15.", name=name)
    if isinstance(kind, click.IntRange) and kind.min is not None and kind.max is not None:
        return _("%(name)s is a whole number from %(least)s to %(most)s.", name=name, least=kind.min, most=kind.max)
    if isinstance(kind, type(click.INT)):
        return _("%(name)s is a whole number, written in figures only.", name=name)
    if isinstance(kind, click.Path):
        return _("%(name)s names a path that cannot be used here. Name another.", name=name)
    return failure.format_message()


def _name(failure: click.BadParameter) -> str:
    hint: Any = failure.param_hint
    if failure.param is not None:
        return max(failure.param.opts, key=len) if failure.param.param_type_name == "option" else _shown(failure.param)
    return " ".join(hint) if isinstance(hint, (list, tuple)) else str(hint or "")


def _shown(argument: click.Parameter) -> str:
    return argument.metavar if isinstance(argument, click.Argument) and argument.metavar else str(argument.name).upper()
