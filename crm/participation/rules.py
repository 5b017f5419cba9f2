"""How taking part begins and ends."""

from __future__ import annotations

from enum import StrEnum


class Beginning(StrEnum):
    BASELINE = "baseline"
    JOINED = "joined"
    RETURNED = "returned"
    MOVED_IN = "moved_in"


class Ending(StrEnum):
    LAPSED = "lapsed"
    STOPPED = "stopped"
    COMPULSORY = "compulsory"
    PENSION = "pension"
    DIED = "died"
    MOVED_OUT = "moved_out"
