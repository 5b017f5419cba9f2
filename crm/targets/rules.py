"""What targets are about."""

from __future__ import annotations

from enum import StrEnum


class Indicator(StrEnum):
    COMPULSORY = "compulsory"
    VOLUNTARY = "voluntary"
    UNEMPLOYMENT = "unemployment"
