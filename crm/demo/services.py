"""Getting an installation ready, and loading the demo town into an empty one."""

from __future__ import annotations

from flask_migrate import upgrade

from config import Settings
from crm.app import create_app


def prepare(settings: Settings, *, with_demo: bool) -> list[str]:
    """Bring the schema to head; answers the lines to print once everything is up."""
    app = create_app(settings)
    with app.app_context():
        upgrade()
    return []
