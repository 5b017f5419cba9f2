"""What goes over the air is small."""

from __future__ import annotations

import gzip

from flask.testing import FlaskClient


def test_a_stylesheet_goes_out_compressed_and_the_same(client: FlaskClient) -> None:
    plain = client.get("/static/css/app.css").get_data()
    for _ in range(2):
        packed = client.get("/static/css/app.css", headers={"Accept-Encoding": "gzip"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.get_data()) == plain
        assert "Accept-Encoding" in packed.headers["Vary"]


def test_who_does_not_accept_it_gets_it_plain(client: FlaskClient) -> None:
    assert "Content-Encoding" not in client.get("/static/css/app.css", headers={"Accept-Encoding": "identity"}).headers
