"""Papers and pictures set by typst. What people are called reaches it as data, never as markup."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import fontpkg_be_vietnam_pro
import typst

FONTS = Path(fontpkg_be_vietnam_pro.__file__).with_name("files")
POINT = 72.0
"""Dots an inch at which a point of the paper is a dot of the picture."""


def set_in_type(source: Path, data: Mapping[str, Any], kind: Literal["pdf", "png"] = "pdf") -> bytes:
    """What `source`, a .typ file, makes of the data: a PDF, or a picture with a dot for each point.

    Each call has a compiler of its own: one that threads share fails.
    """
    made = typst.compile(
        source,
        root=source.parent,
        font_paths=[FONTS],
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        format=kind,
        ppi=POINT if kind == "png" else None,
    )
    assert isinstance(made, bytes), "one paper or picture is one file"
    return made
