"""One PostgreSQL server in a folder of the data directory, reachable through a socket only."""

import shutil
from pathlib import Path

import psycopg
from psycopg import sql

from crm.embedded.directory import CannotRun, Secrets
from crm.embedded.halting import cluster
from crm.embedded.programs import HERE, Runner, wait_until_left

DATABASE, OWNER, APP, SUPERUSER = "ansinh", "crm_owner", "crm_app", "postgres"
VERSION = "18"  # the major version, that of the files
PORT = 5432  # names the socket's file; nothing listens on the network
EXTENSIONS = ("pg_trgm", "unaccent", "btree_gist", "btree_gin")

# Written into postgresql.conf when the folder is made; the town's administrator may change them there.
SETTINGS = {
    "shared_buffers": "128MB",
    "wal_buffers": "16MB",  # a list of many people fills the usual 4 MB again and again
    "max_connections": "60",
    "jit": "off",  # compiling what is asked once made the reports of a large town take a third longer
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "password_encryption": "scram-sha-256",
}
CARELESS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
}


def url(sockets: Path, role: str, password: str) -> str:
    """The database for SQLAlchemy, as this role."""
    return f"postgresql+psycopg://{role}:{password}@/{DATABASE}?host={sockets}&port={PORT}"


def start(data_dir: Path, sockets: Path, runner: Runner, secrets: Secrets, *, durable: bool) -> None:
    """Start the server, if need be after making its files, roles and database; returns once it answers."""
    log = data_dir / "logs" / "postgres.log"
    if not cluster(data_dir).exists():
        _make(data_dir, sockets, runner, secrets, log, durable=durable)
    folder = cluster(data_dir)
    _clear_the_way(folder, sockets)
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
    }
    options = " ".join(f"-c {name}='{value}'" for name, value in (settings | ({} if durable else CARELESS)).items())
    command: list[str | Path] = [
        *(runner.postgres / "pg_ctl", "start", "-D", HERE, "-w", "-t", "120"),
        *("-o", f"-p {PORT} {options}"),
    ]
    with log.open("ab") as output:
        if runner.run(command, inside=folder, log=output).returncode:
            raise CannotRun(f"PostgreSQL did not start: see the end of {log}.")
    _furnish(sockets, secrets)


def _make(
    data_dir: Path,
    sockets: Path,
    runner: Runner,
    secrets: Secrets,
    log: Path,
    *,
    durable: bool,
) -> None:
    """Make the server's folder. It gets its name last: what an interrupted start left is made anew."""
    draft = data_dir / "postgres.new"
    password = sockets / "password"  # in a directory the system user can enter
    shutil.rmtree(draft, ignore_errors=True)
    runner.own(draft)
    password.touch(mode=0o600)
    password.write_text(secrets.superuser_password)
    runner.give(password)
    settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
    command: list[str | Path] = [
        *(
            runner.postgres / "initdb",
            "-D",
            HERE,
            "-U",
            SUPERUSER,
            "--auth=scram-sha-256",
            f"--pwfile={password}",
        ),
        *(
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        ),
        *("--no-instructions", *settings, *([] if durable else ["--no-sync"])),
    ]
    try:
        with log.open("ab") as output:
            if runner.run(command, inside=draft, log=output).returncode:
                raise CannotRun(f"PostgreSQL could not make its files: see the end of {log}.")
    finally:
        password.unlink()
    draft.rename(cluster(data_dir))


def _clear_the_way(folder: Path, sockets: Path) -> None:
    """Say so if another version made the folder, and remove what a dead server left.

    The dead server's number may by now be another process's, for which PostgreSQL would refuse to start.
    """
    made_by = (folder / "PG_VERSION").read_text().strip()
    if made_by != VERSION:
        raise CannotRun(
            f"{folder} was made by PostgreSQL {made_by} and this is {VERSION}: restore a backup into a new directory."
        )
    marks = [folder / "postmaster.pid", sockets / f".s.PGSQL.{PORT}.lock"]
    if any(mark.exists() for mark in marks):
        wait_until_left(folder)
        for mark in marks:
            mark.unlink(missing_ok=True)


def _furnish(sockets: Path, secrets: Secrets) -> None:
    """The two roles, the database and the extensions; what is there already stays."""
    with _connect(sockets, secrets, "template1") as template:
        for extension in EXTENSIONS:
            template.execute(sql.SQL("create extension if not exists {}").format(sql.Identifier(extension)))
    with _connect(sockets, secrets, SUPERUSER) as connection:
        there = {name for (name,) in connection.execute("select rolname from pg_roles")}
        for role, password, may in (
            (OWNER, secrets.owner_password, "createdb"),
            (APP, secrets.app_password, "nocreatedb"),
        ):
            verb = "alter" if role in there else "create"
            statement = sql.SQL(f"{verb} role {{}} login nosuperuser nocreaterole {may} password {{}}")
            connection.execute(statement.format(sql.Identifier(role), sql.Literal(password)))
        if connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone() is None:
            connection.execute(f"create database {DATABASE} owner {OWNER}")
        connection.execute(f"revoke all on database {DATABASE} from public")
        connection.execute(f"grant connect, temporary on database {DATABASE} to {APP}")


def _connect(sockets: Path, secrets: Secrets, database: str) -> psycopg.Connection[tuple[str]]:
    """A connection as the owner of the whole server. Raises CannotRun when the secrets are not this server's."""
    try:
        return psycopg.connect(
            host=str(sockets),
            port=PORT,
            user=SUPERUSER,
            password=secrets.superuser_password,
            dbname=database,
            autocommit=True,
        )
    except psycopg.OperationalError as refused:
        if "password authentication failed" not in str(refused):
            raise
        raise CannotRun(
            "The database of this data directory was made with another secrets.json: put that file back, or restore a backup "
            "into a new --data-dir that holds nothing but this one."
        ) from None
