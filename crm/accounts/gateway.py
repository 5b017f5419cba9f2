"""Signing in. The one module that knows Flask-Security; everything else asks `current_user()`."""

from __future__ import annotations

from typing import cast

from flask import Flask, current_app, g, request
from flask_login import current_user as session_user
from flask_security import RoleMixin, Security, SQLAlchemyUserDatastore, hash_password
from flask_security.utils import uia_email_mapper
from sqlalchemy.orm import Session

from crm.accounts.models import ApiToken, User
from crm.accounts.queries import Scope, scope_of, token_holder
from crm.db import db, session
from crm.errors import NotFound
from crm.phones import read_phone


class _Role(RoleMixin):  # type: ignore[misc]
    """Flask-Security asks for a class of roles; ours are an enum on the account."""


def _phone(identity: str) -> str | None:
    return read_phone(identity).mobile


def install(app: Flask) -> None:
    """Sign-in by e-mail or phone, with a password hashed by argon2id."""
    app.config.update(
        SECURITY_PASSWORD_HASH="argon2",
        SECURITY_PASSWORD_SALT=app.config["SECRET_KEY"][:64],
        SECURITY_PASSWORD_LENGTH_MIN=8,
        SECURITY_USER_IDENTITY_ATTRIBUTES=[
            {"email": {"mapper": uia_email_mapper, "case_insensitive": True}},
            {"phone": {"mapper": _phone}},
        ],
        SECURITY_EMAIL_VALIDATOR_ARGS={"check_deliverability": False},
        SECURITY_RETURN_GENERIC_RESPONSES=True,
        SECURITY_JOIN_USER_ROLES=False,
        SECURITY_I18N_DIRNAME=["builtin", str(_translations(app))],
        SECURITY_LOGIN_URL="/sign-in",
        SECURITY_LOGOUT_URL="/sign-out",
        SECURITY_LOGOUT_METHODS=["POST"],
        SECURITY_POST_LOGIN_VIEW="/",
        SECURITY_POST_LOGOUT_VIEW="/",
        SECURITY_CHANGEABLE=True,
        SECURITY_CHANGE_URL="/account/password",
        SECURITY_POST_CHANGE_VIEW="/",
        SECURITY_SEND_PASSWORD_CHANGE_EMAIL=False,
        SECURITY_LOGIN_USER_TEMPLATE="accounts/sign_in.html",
        SECURITY_CHANGE_PASSWORD_TEMPLATE="accounts/password.html",
        SECURITY_MSG_LOGIN=("", "info"),
        SECURITY_FLASH_MESSAGES=False,
        REMEMBER_COOKIE_SAMESITE="Lax",
        REMEMBER_COOKIE_SECURE=app.config["SESSION_COOKIE_SECURE"],
    )
    Security(app, SQLAlchemyUserDatastore(db, User, _Role))


def _translations(app: Flask) -> str:
    return f"{app.root_path}/translations"


def normal_hash(password: str) -> str:
    """The hash of a password as the sign-in form would normalise it (NFKD), ready to be stored."""
    security: Security = current_app.extensions["security"]
    return hash_password(security._password_util.normalize(password))


def actor() -> User | None:
    """Who is calling: the holder of the bearer token on `/api/`, else whoever is signed in."""
    if "actor" not in g:
        g.actor = _bearer(session()) if request.path.startswith("/api/") else None
        if g.actor is None and session_user.is_authenticated and not request.path.startswith("/api/"):
            g.actor = session_user._get_current_object()
        if g.actor is not None:
            g.language = g.actor.language
    return cast("User | None", g.actor)


def _bearer(current: Session) -> User | None:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    found = token_holder(current, token.strip()) if kind.lower() == "bearer" and token else None
    if found is None:
        return None
    g.api_token = found[1]
    return found[0]


def api_token() -> ApiToken | None:
    """The token this call came with."""
    return cast("ApiToken | None", g.get("api_token"))


def current_user() -> User:
    """The person behind this request. Raises NotFound where nobody is signed in."""
    user = actor()
    if user is None:
        raise NotFound
    return user


def current_scope() -> Scope:
    """How far the person behind this request sees; asked once a request."""
    if "scope" not in g:
        g.scope = scope_of(session(), current_user())
    return cast(Scope, g.scope)
