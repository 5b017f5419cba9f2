"""Every setting, read from the environment once. Production refuses to start without its secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DEVELOPMENT_SECRET = "development only: not a secret"


class SettingsError(Exception):
    """A setting is missing or wrong; the message names it and the mend."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the environment says; the README tells what each name means, `sandbox_url` is told by `crm up` alone."""

    database_url: str
    migrate_database_url: str
    redis_url: str
    env: str = "development"
    data_dir: Path | None = None
    secret_key: str = field(default=DEVELOPMENT_SECRET, repr=False)
    identity_key: str = field(default=DEVELOPMENT_SECRET, repr=False)
    public_url: str = "http://127.0.0.1:8000"
    twilio_account_sid: str | None = None
    twilio_auth_token: str | None = field(default=None, repr=False)
    twilio_from: str | None = None
    twilio_messaging_service_sid: str | None = None
    twilio_base_url: str | None = None
    sandbox_url: str | None = None
    sms_rate: int = 10
    smtp_url: str | None = field(default=None, repr=False)
    clock: str | None = None
    metrics_addresses: tuple[str, ...] = ()

    @property
    def production(self) -> bool:
        return self.env == "production"

    def __post_init__(self) -> None:
        if self.env not in ("development", "production"):
            raise SettingsError(f"CRM_ENV is '{self.env}'; it must be 'development' or 'production'.")
        if not self.database_url:
            raise SettingsError("DATABASE_URL is not set; start everything with `crm up`, or name the database.")
        if self.sms_rate < 1:
            raise SettingsError("SMS_RATE must be at least 1 message a second.")
        if self.smtp_url and not self.smtp_url.startswith(("smtp://", "smtps://")):
            raise SettingsError("SMTP_URL must begin with smtp:// or smtps://, e.g. smtp://user:password@host:587.")
        if not self.production:
            return
        if not self.redis_url:
            raise SettingsError("REDIS_URL is not set; limits, tasks and messages need it in production.")
        for name, value in (("SECRET_KEY", self.secret_key), ("IDENTITY_KEY", self.identity_key)):
            if value == DEVELOPMENT_SECRET or len(value) < 32:
                raise SettingsError(f"{name} must be set to at least 32 secret characters in production.")
        if self.clock:
            raise SettingsError("CRM_CLOCK moves the program's time and is refused in production; unset it.")


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    value = environ.get(name, "")
    if not value:
        return default
    if not value.isdecimal():
        raise SettingsError(f"{name} is '{value}'; it must be a whole number.")
    return int(value)


def from_environment(environ: Mapping[str, str]) -> Settings:
    """Read `environ` (usually os.environ). Raises SettingsError with one clear sentence."""

    def text(name: str) -> str | None:
        return environ.get(name) or None

    database_url = _psycopg(text("DATABASE_URL") or "")
    secret = text("SECRET_KEY") or DEVELOPMENT_SECRET
    return Settings(
        env=text("CRM_ENV") or "development",
        data_dir=Path(environ["CRM_DATA_DIR"]) if text("CRM_DATA_DIR") else None,
        database_url=database_url,
        migrate_database_url=_psycopg(text("MIGRATE_DATABASE_URL") or "") or database_url,
        redis_url=text("REDIS_URL") or "",
        secret_key=secret,
        identity_key=text("IDENTITY_KEY") or DEVELOPMENT_SECRET,
        public_url=(text("PUBLIC_URL") or "http://127.0.0.1:8000").rstrip("/"),
        twilio_account_sid=text("TWILIO_ACCOUNT_SID"),
        twilio_auth_token=text("TWILIO_AUTH_TOKEN"),
        twilio_from=text("TWILIO_FROM"),
        twilio_messaging_service_sid=text("TWILIO_MESSAGING_SERVICE_SID"),
        twilio_base_url=text("TWILIO_BASE_URL"),
        sandbox_url=text("SANDBOX_URL"),
        sms_rate=_number(environ, "SMS_RATE", 10),
        smtp_url=text("SMTP_URL"),
        clock=text("CRM_CLOCK"),
        metrics_addresses=tuple((text("METRICS_ADDRESSES") or "").replace(",", " ").split()),
    )


def _psycopg(url: str) -> str:
    """The same address with the driver this program uses."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url
