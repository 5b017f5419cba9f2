"""The timetable. Times are Vietnam's; every task may run twice or late without harm, for each looks at the rows."""

from __future__ import annotations

from typing import Any

EVERY_MINUTE = 60.0

TIMETABLE: dict[str, dict[str, Any]] = {}
