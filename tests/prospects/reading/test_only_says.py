"""An address that names the neighbourhood and nothing else."""

from __future__ import annotations

import pytest

from crm.prospects.reading.values import only_says


@pytest.mark.parametrize(
    ("address", "only"),
    [
        ("TDP 1", True),
        ("tổ dân phố số 01", True),
        ("Tổ dân phố 1", True),
        ("TDP 2", False),
        ("Số 5, TDP 1", False),
        ("Số 5 Trần Phú", False),
    ],
)
def test_a_neighbourhood_is_not_said_twice(address: str, only: bool) -> None:
    assert only_says(address, "Tổ dân phố 1") is only
