"""`crm user add` and `crm token add`: the first people and programs of an installation."""

from __future__ import annotations

import sys
from uuid import UUID

import click
from flask import current_app, url_for
from flask_babel import gettext as _

from crm import clock
from crm.accounts import gateway, queries, services
from crm.accounts.rules import Role
from crm.clock import local_day
from crm.db import session, transaction
from crm.errors import NotFound, RuleBroken
from crm.places.queries import place_named, the_town
from crm.told import Told

SCOPES = ("identity:read",)
MOST_LISTED = 1000


@click.group()
def user() -> None:
    """People who sign in."""


@user.command("add")
@click.argument("identity", metavar="EMAIL_OR_PHONE")
@click.option("--role", type=click.Choice([str(role) for role in Role]), required=True)
@click.option("--name", help="Full name; by default what they sign in with.")
@click.option("--organisation", metavar="CODE", help="The code of their organisation.")
@click.option("--place", metavar="PLACE", help="The ward they lead: a UUID, CODE or CODE@DATE.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def add_user(
    identity: str, role: str, name: str | None, organisation: str | None, place: str | None, password_stdin: bool
) -> None:
    """Add someone who signs in; without a password, print a link with which they set one."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    now = clock.now()
    try:
        with transaction() as current:
            town = the_town(current)
            who = services.add_user(
                current,
                town.id,
                identity,
                full_name=name or identity.strip(),
                role=Role(role),
                organisation_id=queries.organisation_coded(current, town.id, organisation).id if organisation else None,
                place_id=place_named(current, town.id, place, today=clock.today()).id if place else None,
                password_hash=gateway.new_password_hash(password) if password is not None else None,
                at=now,
            )
            key = None if who.password else services.invite(current, who, at=now)
    except RuleBroken as refused:
        raise Told(str(refused)) from None
    if key is None:
        click.echo(f"{who.email or who.phone} may sign in now.")
    else:
        click.echo(current_app.config["SETTINGS"].public_url + _path_of_invitation(key))


def _path_of_invitation(key: str) -> str:
    with current_app.test_request_context():
        return url_for("accounts.invitation", key=key)


@click.group()
def token() -> None:
    """Keys for other programs."""


@token.command("add")
@click.argument("identity", metavar="EMAIL_OR_PHONE")
@click.option("--name", default="", help="What the token is for.")
@click.option("--scope", "scopes", type=click.Choice(SCOPES), multiple=True, help="What it may do besides.")
def add_token(identity: str, name: str, scopes: tuple[str, ...]) -> None:
    """Print a token that acts for that person; it is shown only this once."""
    try:
        email, phone = services.read_identity(identity)
        with transaction() as current:
            who = queries.user_named(current, email or phone or "")
            if who is None or not who.active:
                raise RuleBroken(
                    _("Nobody signs in with “%(identity)s”; add them with `crm user add` first.", identity=identity)
                )
            key = services.add_token(current, who, name=name, scopes=scopes, at=clock.now())
    except RuleBroken as refused:
        raise Told(str(refused)) from None
    click.echo(key)


@token.command("list")
def list_tokens() -> None:
    """Print every key: its id, since when, who it acts for, what it is for, and whether it has ended."""
    current = session()
    for row, who in queries.page_of_tokens(current, the_town(current).id, cursor=None, size=MOST_LISTED).rows:
        ended = f"ended {local_day(row.revoked_at)}" if row.revoked_at else "works" if who.active else "closed account"
        click.echo(
            "\t".join((str(row.id), str(local_day(row.created_at)), who.email or who.phone or "", row.name, ended))
        )


@token.command("revoke")
@click.argument("token_id", metavar="ID", type=click.UUID)
def revoke_token(token_id: UUID) -> None:
    """End a key; `crm token list` tells its id."""
    try:
        with transaction() as current:
            services.revoke_token(
                current, queries.api_token(current, the_town(current).id, token_id), by=None, at=clock.now()
            )
    except NotFound:
        raise Told(_("There is no key with this id; `crm token list` tells them all.")) from None
    click.echo(_("The key has ended."))
