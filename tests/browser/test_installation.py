"""What the person who runs the installation meets."""

from __future__ import annotations

import subprocess
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.browser.conftest import CRM, Installation, free_port

pytestmark = pytest.mark.browser


def test_a_second_one_on_the_same_data_says_so_in_one_line_and_ends(town: Installation) -> None:
    second = subprocess.run(
        [str(CRM), "up", "--port", str(free_port()), "--data-dir", str(town.data_dir)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 2
    assert second.stdout == ""
    assert len(second.stderr.splitlines()) == 1
    assert str(town.data_dir) in second.stderr
    with urlopen(f"{town.address}/readyz", timeout=10) as answer:
        assert answer.status == 200  # the first goes on


def test_a_port_that_is_taken_is_named(town: Installation, tmp_path: Path) -> None:
    port = town.address.rsplit(":", 1)[1]
    other = subprocess.run(
        [str(CRM), "up", "--port", port, "--data-dir", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert other.returncode == 2
    assert len(other.stderr.splitlines()) == 1
    assert port in other.stderr
