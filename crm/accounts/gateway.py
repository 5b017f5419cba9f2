"""Signing in. The one module that knows Flask-Security; everything else asks `current_user()`."""

from __future__ import annotations

from typing import Any, cast

from flask import Flask, current_app, g, request
from flask_babel import lazy_gettext as _l
from flask_login import current_user as session_user
from flask_security import LoginForm, RoleMixin, Security, SQLAlchemyUserDatastore, hash_password, verify_password
from flask_security import login_user as open_session
from flask_security.forms import IsString
from flask_security.utils import get_message, uia_email_mapper, validate_redirect_url
from sqlalchemy.orm import Session
from wtforms import BooleanField, PasswordField, StringField

from crm import clock
from crm.accounts import services
from crm.accounts.models import ApiToken, User
from crm.accounts.queries import Scope, scope_of, token_holder, user_named, user_of_session
from crm.accounts.rules import May, is_locked
from crm.db import db, session, transaction
from crm.errors import NotFound, RuleBroken
from crm.phones import read_phone
from crm.web import limits
from crm.web.forms import stripped
from crm.web.guard import may

TOO_LONG = 300
"""Letters of an identity that are looked at, at most."""
NOT_SIGNED_IN = (
    "The e-mail or phone number and the password do not go together. Try again; after 10 wrong tries one has to wait "
    "15 minutes."
)


class _Role(RoleMixin):  # type: ignore[misc]
    """Flask-Security asks for a class of roles; ours are an enum on the account."""


class _Users(SQLAlchemyUserDatastore):  # type: ignore[misc]
    """Flask-Security's, but whoever a session names is found by a statement that is made once."""

    def find_user(self, case_insensitive: bool = False, **named: Any) -> User | None:
        if named.keys() == {"fs_uniquifier"}:
            return user_of_session(session(), named["fs_uniquifier"])
        return cast("User | None", super().find_user(case_insensitive, **named))


class SignInForm(LoginForm):  # type: ignore[misc]
    """E-mail or phone, and a password. Every failure gets the same answer, whatever the reason."""

    email = StringField(_l("E-mail or mobile number"), filters=[stripped], validators=[IsString()])  # type: ignore[assignment]
    password = PasswordField(_l("Password"), validators=[IsString()])
    remember = BooleanField(_l("Stay signed in on this phone or computer"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if request.method == "GET":
            self.email.data = request.args.get("name", "")[:TOO_LONG]

    def validate(self, **kwargs: Any) -> bool:
        if not super(LoginForm, self).validate(**kwargs):
            return False
        identity, password = self.email.data or "", self.password.data or ""
        typed = password and 0 < len(identity) <= TOO_LONG
        self.user = who_signs_in(identity, password) if typed else None
        if self.user is None:
            self.form_errors = [get_message("GENERIC_AUTHN_FAILED")[0]]
        return self.user is not None

    def validate_next(self, field: Any) -> None:
        """An address elsewhere is dropped without a word."""
        if field.data and not validate_redirect_url(field.data):
            field.data = ""


def who_signs_in(identity: str, password: str) -> User | None:
    """The active person with that identity and password. A wrong password counts; ten in a row lock the account.

    Takes about the same time whether there is such a person or not.
    """
    user, now = _named(identity), clock.now()
    may_try = user is not None and user.active and not is_locked(user.locked_until, now)
    if user is None or user.password is None or not may_try:
        hash_password(_normal(password))
        return None
    right = verify_password(_normal(password), user.password)
    with transaction() as current:
        if right:
            services.note_sign_in(current, user)
        else:
            services.note_failed_sign_in(current, user, at=now)
    return user if right else None


def _named(identity: str) -> User | None:
    try:
        email, phone = services.read_identity(identity)
    except RuleBroken:
        return None
    return user_named(session(), email or phone or "")


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
        SECURITY_I18N_DIRNAME=["builtin", f"{app.root_path}/translations"],
        SECURITY_LOGIN_URL="/sign-in",
        SECURITY_LOGOUT_URL="/sign-out",
        SECURITY_VERIFY_URL="/account/verify",
        SECURITY_LOGOUT_METHODS=["POST"],
        SECURITY_POST_LOGIN_VIEW="/",
        SECURITY_POST_LOGOUT_VIEW="/",
        SECURITY_CHANGEABLE=True,
        SECURITY_CHANGE_URL="/account/password",
        SECURITY_POST_CHANGE_VIEW="/account",
        SECURITY_SEND_PASSWORD_CHANGE_EMAIL=False,
        SECURITY_LOGIN_USER_TEMPLATE="accounts/sign_in.html",
        SECURITY_CHANGE_PASSWORD_TEMPLATE="accounts/password.html",
        SECURITY_MSG_GENERIC_AUTHN_FAILED=(NOT_SIGNED_IN, "error"),
        REMEMBER_COOKIE_SAMESITE="Lax",
        REMEMBER_COOKIE_HTTPONLY=True,
        REMEMBER_COOKIE_SECURE=app.config["SESSION_COOKIE_SECURE"],
    )
    Security(app, _Users(db, User, _Role), login_form=SignInForm)
    may(May.SEE_OWN_ACCOUNT)(app.view_functions["security.change_password"])
    limits.on_sign_in(app, "security.login", named=lambda: request.form.get("email", "").strip().lower())


def _normal(password: str) -> str:
    security: Security = current_app.extensions["security"]
    return str(security._password_util.normalize(password))


def normal_hash(password: str) -> str:
    """The hash of a password as the sign-in form would normalise it (NFKD), ready to be stored."""
    return str(hash_password(_normal(password)))


def new_password_hash(password: str) -> str:
    """The same, for a password that somebody chooses now. Raises RuleBroken when it is too short or too simple."""
    security: Security = current_app.extensions["security"]
    wrong, normal = security._password_util.validate(password, False)
    if wrong:
        raise RuleBroken(wrong[0], field="password")
    return str(hash_password(normal))


def sign_in(user: User) -> None:
    """Open a session for someone who has just proved who they are."""
    open_session(user, remember=False, authn_via=["invitation"])


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


def holds(scope: str) -> bool:
    """Whether the token of this call was given that scope, such as `identity:read`."""
    token = api_token()
    return token is not None and scope in token.scopes


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
