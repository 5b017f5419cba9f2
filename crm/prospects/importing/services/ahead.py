"""Reading ahead: one processor goes through the file while the other waits for the database."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from queue import Empty, Full, Queue
from typing import TypeVar

Item = TypeVar("Item")

PATIENCE = 0.2
"""Seconds between two looks at whether anybody still waits for what is read."""


class _End:
    """Nothing more comes, or only what went wrong."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def ahead(items: Iterator[Item], most: int = 2) -> Iterator[Item]:
    """The same items, made by a thread of its own that is at most so many ahead. What goes wrong there is raised here."""
    made: Queue[Item | _End] = Queue(most)
    left = threading.Event()

    def hand_over(item: Item | _End) -> None:
        while not left.is_set():
            with suppress(Full):
                made.put(item, timeout=PATIENCE)
                return

    def make() -> None:
        try:
            for item in items:
                hand_over(item)
                if left.is_set():
                    return
        except BaseException as error:  # raised again where somebody can answer to it
            hand_over(_End(error))
        else:
            hand_over(_End())

    maker = threading.Thread(target=make, name="reading ahead", daemon=True)
    maker.start()
    try:
        while True:
            try:
                item = made.get(timeout=PATIENCE)
            except Empty:
                continue
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        left.set()
        maker.join()
