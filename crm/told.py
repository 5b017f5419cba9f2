"""How a command says that something cannot be done: one line, nothing before it, exit code 2."""

from __future__ import annotations

from typing import Any

import click


class Told(click.ClickException):
    """One line on standard error."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        click.echo(" ".join(str(self.message).split()), err=True)
