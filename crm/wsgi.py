"""The web role: what gunicorn serves."""

from __future__ import annotations

import os

from werkzeug.middleware.proxy_fix import ProxyFix

from config import from_environment
from crm import kept
from crm.app import create_app

app = create_app(from_environment(os.environ))
kept.use(2.0 if app.config["SETTINGS"].production else 0)
if app.config["SETTINGS"].public_url.startswith("https://"):
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]
