"""PostgreSQL's own dump and restore programs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from flask_babel import gettext as _
from sqlalchemy.engine import make_url

from crm.embedded.programs import postgres_programs
from crm.errors import RuleBroken


def dump(url: str, target: Path) -> None:
    """Write the whole database to `target`, which appears only when it is complete. Raises RuleBroken."""
    scratch = target.with_name(target.name + ".unfinished")
    scratch.touch(mode=0o600)
    try:
        _run(
            "pg_dump",
            url,
            "--format=custom",
            "--no-owner",
            "--no-privileges",
            "--exclude-extension=*",
            f"--file={scratch}",
        )
        scratch.replace(target)
    finally:
        scratch.unlink(missing_ok=True)


TRIES = 4


def load(url: str, source: Path) -> None:
    """Put a dump in place of what is there: all of it or nothing. Raises RuleBroken.

    Who still works in the database may hold one table and wait for the next while this waits the other way round; one of
    the two is given up then. Where it is this one nothing was changed, and it is tried again.
    """
    for left in reversed(range(TRIES)):
        try:
            _run(
                "pg_restore",
                url,
                "--clean",
                "--if-exists",
                "--no-owner",
                "--no-privileges",
                "--single-transaction",
                str(source),
            )
        except RuleBroken as failed:
            if not left or "deadlock" not in str(failed.message):
                raise
        else:
            return


def contents(source: Path) -> None:
    """Read the list of contents of a dump. Raises RuleBroken for anything else."""
    _run("pg_restore", None, "--list", str(source))


def _run(program: str, url: str | None, *arguments: str) -> None:
    place = postgres_programs() / program
    found = str(place) if place.exists() else shutil.which(program)
    if not found:
        raise RuleBroken(_("%(program)s is not installed here: install PostgreSQL's client programs.", program=program))
    env, where = dict(os.environ), []
    if url is not None:
        parts = make_url(url)
        env["PGPASSWORD"] = parts.password or ""
        query = {name: value for name, value in parts.query.items() if isinstance(value, str)}
        host, port = parts.host or query.get("host", ""), str(parts.port or query.get("port", "5432"))
        where = [f"--host={host}", f"--port={port}", f"--username={parts.username}", f"--dbname={parts.database}"]
    done = subprocess.run([found, *where, *arguments], env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["it said nothing"]
        why = next((line for line in lines if "error:" in line), lines[0])  # before it stands what was being done
        raise RuleBroken(_("%(program)s failed: %(why)s", program=program, why=why))
