"""The stand-in for the carrier, judged through the carrier's own SDK and, where it is at hand, its own description."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from flask import Flask
from flask.testing import FlaskClient
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from crm.campaigns.rules.handover import PROGRAM_TIME
from crm.sandbox.app import Setup, create_sandbox

ACCOUNT, TOKEN = "AC" + "0" * 32, "token"


class Listener:
    """Our program's webhook: keeps what it is told, and answers as it is set."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, str], str]] = []
        self.answers = [200]
        self.time = ""
        self.server = make_server("127.0.0.1", 0, self)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def __call__(self, environ: dict[str, Any], start: Any) -> Any:
        request = Request(environ)
        fields = dict(parse_qsl(request.get_data(as_text=True), keep_blank_values=True))
        self.told.append((request.url, fields, request.headers.get("X-Twilio-Signature", "")))
        status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        headers = {PROGRAM_TIME: self.time} if self.time else {}
        reply = "<Response><Message>Da ghi nhan</Message></Response>" if "inbound" in request.path else ""
        return Response(reply, status, headers)(environ, start)

    def statuses(self, sid: str) -> list[str]:
        return [fields["MessageStatus"] for _, fields, _ in self.told if fields["MessageSid"] == sid]

    def wait_for(self, sid: str, count: int) -> list[str]:
        end = time.monotonic() + 8
        while len(self.statuses(sid)) < count and time.monotonic() < end:
            time.sleep(0.02)
        return self.statuses(sid)


@pytest.fixture
def listener() -> Iterator[Listener]:
    listening = Listener()
    yield listening
    listening.server.shutdown()
    listening.server.server_close()


@pytest.fixture
def sandbox(tmp_path: Path, listener: Listener) -> Iterator[Flask]:
    app = create_sandbox(Setup(tmp_path / "sandbox.sqlite", ACCOUNT, TOKEN, base=listener.url))
    yield app
    _, store, postman = app.extensions["sandbox"]
    postman.end()
    postman.join(5)
    store.close()


@pytest.fixture
def served(sandbox: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, sandbox, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def twilio(served: str) -> Client:
    client = Client(ACCOUNT, TOKEN, http_client=TwilioHttpClient(timeout=5))
    client.api.base_url = served
    return client


@pytest.fixture
def web(sandbox: Flask) -> FlaskClient:
    return sandbox.test_client()


def test_a_message_is_taken_and_its_receipts_come_in_order_with_a_valid_signature(
    twilio: Client, listener: Listener
) -> None:
    public = "https://crm.example/webhooks/twilio/status?message=1"
    sent = twilio.messages.create(to="+84912345678", from_="AnSinh", body="Chao ba", status_callback=public)
    assert (sent.status, sent.direction, sent.num_segments) == ("queued", "outbound-api", "1")
    assert listener.wait_for(sent.sid or "", 3) == ["queued", "sent", "delivered"]
    url, fields, signature = listener.told[0]
    assert url == public.replace("https:", "http:"), "the public host is kept, the wire stays on this machine"
    assert RequestValidator(TOKEN).validate(public, fields, signature)
    assert not RequestValidator("another").validate(public, fields, signature)
    assert twilio.messages(sent.sid or "").fetch().status == "delivered"


@pytest.mark.parametrize(
    ("form", "http", "code"),
    [
        ({"to": "+84123", "body": "x"}, 400, 21211),
        ({"to": "+84111111111", "body": "x"}, 400, 21211),
        ({"to": "+842373824000", "body": "x"}, 400, 21614),
        ({"to": "", "body": "x"}, 400, 21604),
        ({"to": "+84912345678", "body": ""}, 400, 21602),
        ({"to": "+84912345678", "body": "x" * 1601}, 400, 21617),
        ({"to": "+84912345678", "body": "x", "from_": "Ten qua dai nhe"}, 400, 21212),
        ({"to": "+84912345678", "body": "x", "from_": "12345678901234567"}, 400, 21212),
        ({"to": "+84912345678", "body": "x", "status_callback": "nowhere"}, 400, 21609),
        ({"to": "+84900000007", "body": "x"}, 429, 20429),
        ({"to": "+84900000009", "body": "x"}, 400, 21610),
    ],
)
def test_what_the_carrier_refuses_is_refused_with_its_code(
    twilio: Client, form: dict[str, str], http: int, code: int
) -> None:
    with pytest.raises(TwilioRestException) as refused:
        twilio.messages.create(**{"from_": "AnSinh", **form})
    assert (refused.value.status, refused.value.code) == (http, code)


def test_a_wrong_token_and_a_foreign_account_are_turned_away(served: str) -> None:
    for account, token in ((ACCOUNT, "wrong"), ("AC" + "1" * 32, TOKEN)):
        client = Client(account, token)
        client.api.base_url = served
        with pytest.raises(TwilioRestException) as refused:
            client.messages.create(to="+84912345678", from_="AnSinh", body="x")
        assert (refused.value.status, refused.value.code) == (401, 20003)


def test_an_unknown_message_is_not_found(twilio: Client) -> None:
    with pytest.raises(TwilioRestException) as refused:
        twilio.messages("SM" + "0" * 32).fetch()
    assert (refused.value.status, refused.value.code) == (404, 20404)


def test_lists_come_page_by_page_and_can_be_narrowed(twilio: Client) -> None:
    for number in range(7):
        twilio.messages.create(to=f"+8491234567{number % 2}", from_="AnSinh", body=f"so {number}")
    assert [m.body for m in twilio.messages.list(page_size=3)] == [f"so {n}" for n in range(6, -1, -1)]
    assert len(twilio.messages.list(to="+84912345670", page_size=2)) == 4
    assert len(twilio.messages.list(limit=5, page_size=2)) == 5


def test_a_number_that_fails_says_so_in_its_receipts(twilio: Client, listener: Listener) -> None:
    sent = twilio.messages.create(to="+84900000001", from_="AnSinh", body="x", status_callback=f"{listener.url}/status")
    assert listener.wait_for(sent.sid or "", 3) == ["queued", "sent", "undelivered"]
    assert listener.told[-1][1]["ErrorCode"] == "30003"


def test_a_receipt_that_is_not_taken_is_told_again(twilio: Client, listener: Listener) -> None:
    listener.answers = [503, 200]
    sent = twilio.messages.create(to="+84912345678", from_="AnSinh", body="x", status_callback=f"{listener.url}/status")
    assert sorted(listener.wait_for(sent.sid or "", 4)) == ["delivered", "queued", "queued", "sent"]
    assert twilio.messages(sent.sid or "").fetch().status == "delivered", "a late receipt changes nothing"


def test_a_broken_connection_hides_a_message_that_was_taken(twilio: Client) -> None:
    with pytest.raises(Exception, match=r"Connection|Read|Incomplete"):
        twilio.messages.create(to="+84900000006", from_="AnSinh", body="x")
    assert len(twilio.messages.list(to="+84900000006")) == 1


def test_nothing_leaves_this_machine(tmp_path: Path) -> None:
    app = create_sandbox(Setup(":memory:", ACCOUNT, TOKEN))
    _, _, postman = app.extensions["sandbox"]
    assert postman.post("http://192.0.2.1/webhooks/twilio/status", {"a": "b"}) == (410, b"")
    postman.end()


def test_a_telephone_shows_its_messages_and_its_owner_can_answer(
    web: FlaskClient, twilio: Client, listener: Listener
) -> None:
    twilio.messages.create(to="+84912345678", from_="AnSinh", body="Tu choi: http://127.0.0.1:8000/o/abc <b>")
    assert "0912 345 678" in web.get("/").text
    page = web.get("/phone/+84912345678").text
    assert '<a href="http://127.0.0.1:8000/o/abc">' in page
    assert "&lt;b&gt;" in page
    assert web.post("/phone/+84912345678", data={"body": "TU CHOI"}).status_code == 303
    url, fields, signature = listener.told[-1]
    assert (fields["From"], fields["Body"], fields["To"]) == ("+84912345678", "TU CHOI", "AnSinh")
    assert RequestValidator(TOKEN).validate(url, fields, signature)
    assert "Da ghi nhan" in web.get("/phone/+84912345678").text


def test_after_stop_the_carrier_takes_no_more_until_start(web: FlaskClient, twilio: Client) -> None:
    web.post("/phone/+84912345678", data={"body": "stop"})
    with pytest.raises(TwilioRestException) as refused:
        twilio.messages.create(to="+84912345678", from_="AnSinh", body="x")
    assert refused.value.code == 21610
    web.post("/phone/+84912345678", data={"body": "START"})
    twilio.messages.create(to="+84912345678", from_="AnSinh", body="x")


def test_a_telephone_shows_the_time_that_it_is_for_our_program(
    twilio: Client, web: FlaskClient, listener: Listener
) -> None:
    listener.time = "2019-10-15T02:30:00+00:00"
    sent = twilio.messages.create(
        to="+84912345678", from_="AnSinh", body="Hen gap", status_callback=f"{listener.url}/webhooks/twilio/status"
    )
    listener.wait_for(str(sent.sid), 2)
    assert "09:30 15/10/2019" in web.get("/phone/+84912345678").text
    assert "09:30 15/10/2019" in web.get("/phone").text
    twilio.messages.create(to="+84912345679", from_="AnSinh", body="Chua ai nghe")
    assert "/10/2019" in web.get("/phone/+84912345679").text, "no receipt was asked for: as far as the last one"
    listener.time = "2019-10-16T02:31:00+00:00"
    web.post("/phone/+84912345678", data={"body": "Da ro"})
    page = web.get("/phone/+84912345678").text
    assert page.count("09:31 16/10/2019") == 2, "what was written, and what was answered at once"
    assert "09:30 15/10/2019" in page


def test_another_page_cannot_answer_for_a_telephone(web: FlaskClient) -> None:
    sent = web.post("/phone/+84912345678", data={"body": "x"}, headers={"Origin": "http://elsewhere.example"})
    assert sent.status_code == 403


def test_more_than_the_rate_is_refused(tmp_path: Path) -> None:
    app = create_sandbox(Setup(":memory:", ACCOUNT, TOKEN, rate=3))
    form = {"To": "+84912345678", "From": "AnSinh", "Body": "x"}
    web = app.test_client()
    url = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    answers = [web.post(url, data=form, auth=(ACCOUNT, TOKEN)).status_code for _ in range(5)]
    app.extensions["sandbox"][2].end()
    assert answers == [201, 201, 201, 429, 429]
