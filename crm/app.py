"""The program, listed: what it is made of and in which order. Imported only at the edges."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from flask import Flask, request
from flask_migrate import Migrate
from flask_wtf import CSRFProtect
from jinja2 import FileSystemBytecodeCache

from config import Settings
from crm import logs, sealed
from crm.accounts import gateway as signing_in
from crm.api import app_wide as api
from crm.background import make_celery
from crm.db import db, engine_options, keep_prepared
from crm.menu import menu_of
from crm.packages import BLUEPRINTS, RESOURCES
from crm.sealed import Seal
from crm.stored_clock import MovedClock
from crm.web import compression, failures, filters, guard, headers, health, language, limits, navigation, standstill

ROOT = Path(__file__).parent.parent

csrf = CSRFProtect()

ALSO_PUBLIC = frozenset({"static", "security.login", "security.logout", "api-docs.openapi_json"})
TIMELESS = frozenset({"static", "health.alive", "standstill.told"})
"""What is answered without asking the database, not even for the program's time."""


def create_app(settings: Settings) -> Flask:
    """The whole program for one set of settings."""
    app = Flask("crm", root_path=str(ROOT / "crm"), template_folder=str(ROOT / "templates"))
    configure(app, settings)
    logs.configure(production=settings.production)
    sealed.use(Seal(settings.identity_key))
    db.init_app(app)
    with app.app_context():
        keep_prepared(db.engine)
    Migrate(app, db, directory=str(ROOT / "migrations"), compare_type=True)
    app.extensions["clock"] = clock = MovedClock(settings.clock, production=settings.production)
    app.before_request(lambda: None if request.endpoint in TIMELESS else clock.refresh())
    csrf.init_app(app)
    language.install(app)
    filters.register(app)
    headers.install(app, https=settings.public_url.startswith("https://"))
    limits.install(app)
    signing_in.install(app)
    guard.enforce(app, signing_in.actor, also_public=ALSO_PUBLIC)
    navigation.install(app, menu_of, signing_in.actor, search="prospects.listing")
    make_celery(app)
    health.install(app)
    standstill.install(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    for blueprint in api.install(app, RESOURCES, signing_in.actor):
        csrf.exempt(blueprint)
    failures.install(app)
    keep_static_long(app)
    compression.install(app)
    return app


def configure(app: Flask, settings: Settings) -> None:
    """Flask's names for our settings."""
    https = settings.public_url.startswith("https://")
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(),
        MIGRATE_DATABASE_URL=settings.migrate_database_url,
        REDIS_URL=settings.redis_url,
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(days=30),
        WTF_CSRF_TIME_LIMIT=None,
        MAX_CONTENT_LENGTH=25 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=1024 * 1024,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.bytecode_cache = FileSystemBytecodeCache()  # compiled once for all processes of this user


def keep_static_long(app: Flask) -> None:
    """Addresses of static files carry a mark of their content, so phones may keep those for a year."""

    def max_age(filename: str | None) -> int:
        return 31_536_000 if request.args.get("v") else 3600

    app.get_send_file_max_age = max_age  # type: ignore[method-assign, assignment]
