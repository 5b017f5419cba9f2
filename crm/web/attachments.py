"""Files that people take away."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import PurePath

from flask import Response, send_file

MEDIA: Mapping[str, str] = {
    "csv": "text/csv",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "json": "application/json",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""What a file is, by the ending of its name (IANA media types)."""


def attachment(content: bytes, name: str) -> Response:
    """A file to be kept under a name, whose ending says what it is. No browser and no proxy keeps it by itself: most of
    these files hold people's data."""
    kind = MEDIA[PurePath(name).suffix[1:]]
    answer = send_file(io.BytesIO(content), kind, as_attachment=True, download_name=name)
    answer.headers["Cache-Control"] = "no-store"
    return answer
