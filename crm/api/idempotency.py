"""A POST with an Idempotency-Key acts once: the answer is kept in the same transaction as the act."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Protocol
from uuid import UUID

from flask import Response, make_response, request
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm import clock
from crm.api.models import IdempotentAnswer
from crm.db import one_commit
from crm.errors import RuleBroken
from crm.ids import new_id

HEADER = "Idempotency-Key"
KEY = re.compile(r"[!-~]{1,200}")
KEPT_HEADERS = ("Location", "ETag")
REPLAYED = "Idempotency-Replayed"
PENDING = 0

View = Callable[..., Any]


class Caller(Protocol):
    """Whose keys they are."""

    @property
    def town_id(self) -> UUID: ...
    @property
    def id(self) -> UUID: ...


def once(view: View, actor: Callable[[], Caller | None]) -> View:
    """The view, acting once for each key of a caller. Two at the same time: the second waits and gets the same answer.

    Only what succeeded is kept: a refused request changed nothing and may be tried again with the same key.
    """

    @wraps(view)
    def acting_once(*args: Any, **kwargs: Any) -> Any:
        key, caller = request.headers.get(HEADER), actor()
        if request.method != "POST" or key is None or caller is None:
            return view(*args, **kwargs)
        if not KEY.fullmatch(key):
            raise RuleBroken(_l("The key must be 1 to 200 letters, digits or signs without spaces."), field=HEADER)
        with one_commit() as current:
            claimed = _claim(current, caller, key)
            if claimed is None:
                return _kept(current, caller, key)
            response = make_response(view(*args, **kwargs))
            _keep(current, current.get(IdempotentAnswer, (caller.town_id, claimed)), response)
        return response

    return acting_once


def _claim(current: Session, caller: Caller, key: str) -> UUID | None:
    """The row of a new key; None when the key has been used. Waits for whoever is using it just now."""
    statement = insert(IdempotentAnswer).values(
        town_id=caller.town_id,
        id=new_id(),
        user_id=caller.id,
        key=key,
        request_digest=request_digest(),
        status=PENDING,
        body={},
        made_at=clock.now(),
    )
    return current.scalar(statement.on_conflict_do_nothing().returning(IdempotentAnswer.id))


def _kept(current: Session, caller: Caller, key: str) -> Response:
    mine = (IdempotentAnswer.town_id == caller.town_id) & (IdempotentAnswer.user_id == caller.id)
    kept = current.scalars(select(IdempotentAnswer).where(mine, IdempotentAnswer.key == key)).one()
    if kept.request_digest != request_digest():
        raise RuleBroken(
            _l("This key was used for another request. Take a new key for a new request."),
            field=HEADER,
            code="idempotency_key_reused",
        )
    response = Response(kept.body["text"], kept.status, mimetype=kept.body["type"])
    response.headers.update(kept.body["headers"])
    response.headers[REPLAYED] = "true"
    return response


def _keep(current: Session, claim: IdempotentAnswer | None, response: Response) -> None:
    if claim is None:  # the view answered for an act that was rolled back, and the claim with it
        return
    if response.status_code >= HTTPStatus.BAD_REQUEST:
        current.delete(claim)
        return
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    claim.status = response.status_code
    claim.body = {"text": response.get_data(as_text=True), "type": response.mimetype, "headers": headers}


def request_digest() -> bytes:
    """What makes two requests the same: address, fields, and the content of files (their boundary does not count)."""
    parts: list[bytes] = [request.path.encode(), request.query_string]
    if request.mimetype == "multipart/form-data":
        parts += [f"{name}={value}".encode("utf-8", "replace") for name, value in request.form.items(multi=True)]
        for name, file in request.files.items(multi=True):
            parts += [f"{name}:{file.filename}".encode("utf-8", "replace"), hashlib.sha256(file.stream.read()).digest()]
            file.stream.seek(0)
    else:
        parts.append(request.get_data(cache=True))
    sizes = b"".join(len(part).to_bytes(8) for part in parts)
    return hashlib.sha256(sizes + b"".join(parts)).digest()
