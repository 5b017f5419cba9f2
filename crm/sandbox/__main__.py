"""`python -m crm.sandbox --port 8100 --db sandbox.sqlite --callback http://127.0.0.1:8000`"""

from __future__ import annotations

import argparse
import logging
import os
import signal
from types import FrameType

from werkzeug.serving import make_server

from config import DEVELOPMENT_SECRET
from crm.campaigns.rules.handover import SANDBOX_ACCOUNT, SANDBOX_SENDER, sandbox_token
from crm.sandbox.app import Setup, create_sandbox


def main(arguments: list[str] | None = None) -> None:
    """Serve on this machine until told to end."""
    parser = argparse.ArgumentParser(
        prog="python -m crm.sandbox",
        description="A stand-in for Twilio on this machine.",
    )
    parser.add_argument("--port", type=int, default=8100)
    parser.add_argument("--db", default="sandbox.sqlite", help="the SQLite file that keeps the messages")
    parser.add_argument("--callback", help="our own program on this machine, e.g. http://127.0.0.1:8000")
    parser.add_argument("--inbound", help="the public address a telephone's answer is signed for")
    parser.add_argument("--account", default=os.environ.get("TWILIO_ACCOUNT_SID") or SANDBOX_ACCOUNT)
    parser.add_argument("--sender", default=os.environ.get("TWILIO_FROM") or SANDBOX_SENDER)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--rate", type=int, help="messages a second; more are refused with 20429")
    asked = parser.parse_args(arguments)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    setup = Setup(
        store=asked.db,
        account=asked.account,
        token=os.environ.get("TWILIO_AUTH_TOKEN") or sandbox_token(os.environ.get("SECRET_KEY") or DEVELOPMENT_SECRET),
        base=asked.callback,
        inbound=asked.inbound,
        sender=asked.sender,
        latency=asked.latency,
        rate=asked.rate,
    )
    app = create_sandbox(setup)
    server = make_server("127.0.0.1", asked.port, app, threaded=True)
    signal.signal(signal.SIGTERM, _end)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
        _, store, postman = app.extensions["sandbox"]
        postman.end()
        postman.join(timeout=5)
        store.close()


def _end(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
