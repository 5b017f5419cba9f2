"""Which fields an address reads, found out by watching it read, and requests with anything in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.test import TestResponse

from tests.scope.asking import Address, Asker, Caller

CHANGING = ("POST", "PATCH", "PUT", "DELETE")
AFTER_ALL = {"language", "security.logout", "security.verify", "timekeeping.move_clock", "timekeeping.put_clock_right"}
"""Addresses that would end the session, change its language or move the time of the test."""
NOT_FIELDS = {"csrf_token", "next", "_method"}
PEOPLE = ("alpha", "beta")

_FOUND: dict[tuple[str, str], list[str]] = {}


class Watched(ImmutableMultiDict[str, Any]):
    """What was sent, which notes what is asked for."""

    asked: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.asked.add(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self.asked.add(str(key))
        return super().__contains__(key)

    def get(self, key: str, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        self.asked.add(key)
        return super().get(key, *args, **kwargs)

    def getlist(self, key: str, *args: Any, **kwargs: Any) -> Any:
        self.asked.add(key)
        return super().getlist(key, *args, **kwargs)


class Sender:
    """`sender.fields(caller, "POST", address)`; `sender.send(caller, "POST", address, pairs)`."""

    def __init__(self, asker: Asker, patch: pytest.MonkeyPatch) -> None:
        self.asker = asker
        patch.setattr(asker.app.request_class, "parameter_storage_class", Watched)

    def addresses(self, *methods: str) -> Iterator[tuple[str, Address]]:
        """One address of each route that answers a method."""
        seen = set()
        for method in methods:
            for address in self.asker.addresses(method, of=PEOPLE):
                if address.endpoint not in AFTER_ALL and (method, address.endpoint) not in seen and not address.mixed:
                    seen.add((method, address.endpoint))
                    yield method, address

    def fields(self, caller: Caller, method: str, address: Address) -> list[str]:
        """The names an address reads: of its query for GET, else of its form."""
        if (method, address.endpoint) not in _FOUND:
            Watched.asked = set()
            self.send(caller, method, address, [])
            names = sorted(name for name in Watched.asked if name not in NOT_FIELDS and not name.startswith("_"))
            _FOUND[method, address.endpoint] = names
        return _FOUND[method, address.endpoint]

    def send(self, caller: Caller, method: str, address: Address, pairs: Iterable[tuple[str, str]]) -> TestResponse:
        """Pairs as a browser would send them, whatever their text; lone surrogates go as the bytes they would be."""
        text = urlencode(list(pairs), encoding="utf-8", errors="surrogatepass", quote_via=quote)
        headers = caller.headers | {"If-Match": "*"} if address.url.startswith("/api/") else {}
        if method == "GET":
            joined = "&" if "?" in address.url else "?"
            return caller.browser.get(f"{address.url}{joined}{text}", headers=headers)
        kind = "application/x-www-form-urlencoded"
        return caller.browser.open(address.url, method=method, data=text, content_type=kind, headers=headers)
