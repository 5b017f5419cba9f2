"""Rows in PostgreSQL's binary format of COPY, written here, for a list has millions of values. No database is needed.

Each value is its length in four bytes and then itself; each row begins with how many values it has.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from itertools import chain, repeat
from struct import Struct
from typing import Any
from uuid import UUID

_NULL = b"\xff\xff\xff\xff"
_EPOCH = date(2000, 1, 1).toordinal()
_MANY = Struct("!H").pack
_LENGTH = Struct("!I").pack
_UUID = _LENGTH(16)
_NUMBER = Struct("!Iq").pack
_DAY = Struct("!Ii").pack
_LIST = Struct("!iiIii").pack
_TEXT = 25  # how PostgreSQL numbers its type text, for ever


def _text(value: str) -> bytes:
    content = value.encode()
    return _LENGTH(len(content)) + content


def _bytes(value: bytes) -> bytes:
    return _LENGTH(len(value)) + value


def _uuid(value: UUID) -> bytes:
    return _UUID + value.bytes


def _number(value: int) -> bytes:
    return _NUMBER(8, value)


def _yes_or_no(value: bool) -> bytes:
    return b"\0\0\0\1\1" if value else b"\0\0\0\1\0"


def _day(value: date) -> bytes:
    return _DAY(4, value.toordinal() - _EPOCH)


def _texts(values: Sequence[str]) -> bytes:
    if not values:
        return _NOTHING
    return _bytes(_LIST(1, 0, _TEXT, len(values), 1) + b"".join(map(_text, values)))


_NOTHING = _bytes(Struct("!iiI").pack(0, 0, _TEXT))


def _document(value: Any) -> bytes:
    return _bytes(b"\1" + json.dumps(value, ensure_ascii=False).encode())


_WAYS: Mapping[str, Callable[[Any], bytes]] = {
    "uuid": _uuid,
    "text": _text,
    "bytea": _bytes,
    "int8": _number,
    "bool": _yes_or_no,
    "date": _day,
    "text[]": _texts,
    "jsonb": _document,
}


_OFTEN_THE_SAME = frozenset({"text", "int8", "bool", "date"})


def packed(columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> bytes:
    """Rows as COPY takes them; `columns` are their names and PostgreSQL's types. A value that a column says often is
    packed once."""
    if not rows:
        return b""
    many = repeat(_MANY(len(columns)))
    values = map(_column, columns.values(), zip(*rows, strict=True))
    return b"".join(chain.from_iterable(zip(many, *values, strict=False)))


def _column(kind: str, values: tuple[Any, ...]) -> Iterable[bytes]:
    way = _WAYS[kind]
    if values[0] is values[-1] and values.count(values[0]) == len(values):
        return repeat(_NULL if values[0] is None else way(values[0]), len(values))
    if kind in _OFTEN_THE_SAME and 2 * len(different := set(values)) < len(values):
        known = {value: _NULL if value is None else way(value) for value in different}
        return map(known.__getitem__, values)
    return (
        _MANY_WAYS[kind](values) if kind in _MANY_WAYS else [_NULL if value is None else way(value) for value in values]
    )


def _all_texts(values: Iterable[str | None]) -> list[bytes]:
    return _all_bytes([None if value is None else value.encode() for value in values])


def _all_bytes(values: Iterable[bytes | None]) -> list[bytes]:
    return [_NULL if value is None else _LENGTH(len(value)) + value for value in values]


def _all_uuids(values: Iterable[UUID | None]) -> list[bytes]:
    return [_NULL if value is None else _UUID + value.int.to_bytes(16) for value in values]


_MANY_WAYS: Mapping[str, Callable[[Iterable[Any]], list[bytes]]] = {
    "text": _all_texts,
    "bytea": _all_bytes,
    "uuid": _all_uuids,
}
"""Most values of a list are such: a whole column costs no call a value."""
