"""Answers are compressed on the way out: phones on weak signals pay for every kilobyte."""

from __future__ import annotations

import gzip

from flask import Flask, Response, request

SMALLEST = 800
"""Bytes; below this the headers would cost more than is won."""

QUICK, THOROUGH = 5, 9
"""How hard to compress: a page on every request, a file once for as long as the program runs."""

TEXTS = ("text/", "application/json", "application/problem+json", "application/javascript", "image/svg+xml")


def install(app: Flask) -> None:
    """Compress texts for those who accept it; static files once, then from memory."""
    kept: dict[str, bytes] = {}

    @app.after_request
    def compress(response: Response) -> Response:
        if not (response.mimetype or "").startswith(TEXTS) or response.status_code not in (200, 422, 404, 409):
            return response
        response.vary.add("Accept-Encoding")
        if not request.accept_encodings["gzip"] or (response.is_streamed and not response.direct_passthrough):
            return response
        tag = response.headers.get("ETag")
        name = f"{request.path} {tag}" if request.path.startswith("/static/") and tag else None
        if name not in kept:
            response.direct_passthrough = False
            plain = response.get_data()
            if len(plain) < SMALLEST:
                return response
            packed = gzip.compress(plain, THOROUGH if name else QUICK, mtime=0)
            if name is None:
                return _packed(response, packed)
            kept[name] = packed
        response.direct_passthrough = False
        return _packed(response, kept[name or ""])


def _packed(response: Response, data: bytes) -> Response:
    response.set_data(data)
    response.headers["Content-Encoding"] = "gzip"
    tag, weak = response.get_etag()
    if tag and not weak:
        response.set_etag(tag, weak=True)
    return response
