"""The stand-in and our gateway against Twilio's own description of its interface (OpenAPI, twilio/twilio-oai).

The description is Twilio's and is not kept here. Put `twilio_api_v2010.messages.json` into `../shared/data` beside the
checkout; without it these tests are skipped with a word.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import jsonschema_rs
import pytest
import requests
from flask import Response, request
from twilio.rest import Client
from werkzeug.serving import make_server

from crm.campaigns.gateway import Connection, TwilioGateway
from crm.campaigns.rules.handover import Accepted, Outgoing
from crm.sandbox.app import Setup, create_sandbox

NAME = "twilio_api_v2010.messages.json"
ROOT = Path(__file__).parents[2]
FOUND = next((file for up in (ROOT.parent, ROOT.parent.parent) if (file := up / "shared/data" / NAME).exists()), None)
pytestmark = pytest.mark.skipif(FOUND is None, reason=f"Twilio's description {NAME} is not beside the checkout")

ACCOUNT, TOKEN, SERVICE = "AC" + "0" * 32, "token", "MG" + "a" * 32
LISTING, ONE = (f"/2010-04-01/Accounts/{{AccountSid}}/Messages{rest}.json" for rest in ("", "/{Sid}"))


class Exchange(NamedTuple):
    """What was asked of the carrier and what it answered."""

    method: str
    path: str
    asked: dict[str, str]
    form: dict[str, str]
    status: int
    answer: Any


class Specification:
    """Twilio's description, made ready for JSON Schema: OpenAPI 3.0 spells «or null» in its own way."""

    def __init__(self, file: Path) -> None:
        self.document = _with_nulls(json.loads(file.read_text()))

    def operation(self, path: str, method: str) -> Any:
        return self.document["paths"][path][method]

    def check(self, schema: dict[str, Any], value: object) -> None:
        """Raises ValidationError where the value is not what the schema says."""
        whole = {**schema, "components": self.document["components"]}
        jsonschema_rs.validator_for(whole, validate_formats=True, formats={"uri": _is_address}).validate(value)

    def check_answer(self, path: str, method: str, exchange: Exchange) -> None:
        content = self.operation(path, method)["responses"][str(exchange.status)].get("content")
        if content:
            self.check(content["application/json"]["schema"], exchange.answer)

    def properties(self, schema: dict[str, Any]) -> set[str]:
        name = schema["$ref"].rpartition("/")[2] if "$ref" in schema else ""
        return set((self.document["components"]["schemas"][name] if name else schema)["properties"])


def _with_nulls(part: Any) -> Any:
    if isinstance(part, list):
        return [_with_nulls(one) for one in part]
    if not isinstance(part, dict):
        return part
    part = {name: _with_nulls(value) for name, value in part.items() if name not in ("example", "examples")}
    if part.pop("nullable", False) is True and isinstance(part.get("type"), str):
        part["type"] = [part["type"], "null"]
    return part


def _is_address(text: str) -> bool:
    """Twilio's own examples of a `uri` are addresses relative to its host."""
    return bool(urlsplit(text).path) and " " not in text


@pytest.fixture(scope="module")
def twilio() -> Specification:
    assert FOUND
    return Specification(FOUND)


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[list[Exchange]]:
    """All that is said to a running stand-in; its address is the first path."""
    app = create_sandbox(Setup(tmp_path / "sandbox.sqlite", ACCOUNT, TOKEN))
    said: list[Exchange] = []

    @app.after_request
    def listen(response: Response) -> Response:
        answer = response.get_json() if response.mimetype == "application/json" else None
        asked = dict(parse_qsl(request.query_string.decode()))
        said.append(Exchange(request.method, request.path, asked, request.form.to_dict(), response.status_code, answer))
        return response

    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    said.append(Exchange("", f"http://127.0.0.1:{server.port}", {}, {}, 0, None))
    yield said
    server.shutdown()
    server.server_close()
    _, store, postman = app.extensions["sandbox"]
    postman.end()
    postman.join(5)
    store.close()


def gateway(heard: list[Exchange], service: str | None = None) -> TwilioGateway:
    sender = None if service else "AnSinh"
    return TwilioGateway(Connection(ACCOUNT, TOKEN, sender, service, heard[0].path), "https://quy.vn/webhooks/status")


def send(over: TwilioGateway, phone: str) -> object:
    async def call() -> object:
        async with over.line(1) as line:
            return await line(Outgoing(uuid4(), uuid4(), phone, "Hen gap ba Hoa"))

    return asyncio.run(call())


@pytest.mark.parametrize("service", [None, SERVICE])
def test_what_we_send_and_what_the_stand_in_answers_is_what_twilio_describes(
    twilio: Specification, heard: list[Exchange], service: str | None
) -> None:
    assert isinstance(send(gateway(heard, service), "+84912345678"), Accepted)
    exchange = heard[-1]
    described = twilio.operation(LISTING, "post")
    form = described["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    twilio.check({**form, "additionalProperties": False}, exchange.form)
    assert set(form.get("required", ())) <= set(exchange.form)
    twilio.check_answer(LISTING, "post", exchange)
    assert set(exchange.answer) == twilio.properties({"$ref": "#/components/schemas/api.v2010.account.message"})


def test_how_we_ask_for_a_numbers_messages_is_what_twilio_describes(
    twilio: Specification, heard: list[Exchange]
) -> None:
    over = gateway(heard)
    for _ in range(3):
        send(over, "+84912345678")
    assert len(over.seen("+84912345678") or []) == 3
    listing = heard[-1]
    known = {one["name"]: one["schema"] for one in twilio.operation(LISTING, "get")["parameters"]}
    for name, value in listing.asked.items():
        twilio.check(known[name], int(value) if known[name]["type"] == "integer" else value)
    twilio.check_answer(LISTING, "get", listing)
    described = twilio.operation(LISTING, "get")["responses"]["200"]["content"]["application/json"]["schema"]
    assert set(listing.answer) == twilio.properties(described)


def test_one_message_and_its_pages_are_what_twilio_describes(twilio: Specification, heard: list[Exchange]) -> None:
    over, client = gateway(heard), Client(ACCOUNT, TOKEN)
    client.api.base_url = heard[0].path
    sids = [send(over, "+84912345678").sid for _ in range(3)]  # type: ignore[attr-defined]
    assert {one.sid for one in client.messages.list(page_size=2)} == set(sids)
    for page in heard[-2:]:
        twilio.check_answer(LISTING, "get", page)
    client.messages(sids[0]).fetch()
    twilio.check_answer(ONE, "get", heard[-1])
    client.messages(sids[0]).update(body="")
    twilio.check_answer(ONE, "post", heard[-1])
    client.messages(sids[0]).delete()
    assert str(heard[-1].status) in twilio.operation(ONE, "delete")["responses"]


def test_every_state_that_twilio_knows_has_a_meaning_here(twilio: Specification) -> None:
    from crm.campaigns.rules.delivery import TOLD

    known = set(twilio.document["components"]["schemas"]["message_enum_status"]["enum"])
    assert known - set(TOLD) == {"receiving", "received", "partially_delivered"}, "only those that are not about ours"


def test_a_stranger_is_turned_away_as_twilio_does(heard: list[Exchange]) -> None:
    url = f"{heard[0].path}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    answer = requests.get(url, auth=(ACCOUNT, "wrong"), timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (401, 20003)
