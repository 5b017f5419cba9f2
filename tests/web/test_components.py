"""The look keeps its promises: light, legible, and within the content policy."""

import gzip
import re
from itertools import pairwise
from pathlib import Path

import pytest
from flask import Flask, render_template_string
from flask_babel import Babel

from crm.web import filters

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "crm" / "static"
TOKENS = (ROOT / "tools" / "frontend" / "css" / "tokens.css").read_text()
AA_TEXT = 4.5
AA_EDGE = 3.0


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__, template_folder=str(ROOT / "templates"), static_folder=str(STATIC), static_url_path="/static")
    Babel(app)
    filters.register(app)
    app.add_template_global(lambda: "token", "csrf_token")
    return app


def draw(app: Flask, macros: str, text: str) -> str:
    name = re.search(r"\w+", text)
    assert name
    with app.test_request_context():
        return render_template_string(f'{{% from "components/{macros}.html" import {name[0]} %}}{{{{ {text} }}}}')


def packed(*names: str) -> int:
    return sum(len(gzip.compress((STATIC / name).read_bytes(), mtime=0)) for name in names)


def test_the_first_phone_page_is_light() -> None:
    scripts = [f"js/{path.name}" for path in (STATIC / "js").glob("*.js")]
    fonts = sum(path.stat().st_size for path in (STATIC / "fonts").glob("*.woff2"))
    assert packed("css/app.css") < 15_000
    assert packed("css/app.css", "icons-first.svg", "icons.svg", *scripts) + fonts < 80_000


def luminance(colour: str) -> float:
    short = colour.removeprefix("#")
    full = short if len(short) == 6 else "".join(2 * digit for digit in short)
    parts = [int(full[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", TOKENS))
    darker, lighter = sorted((luminance(colours[one]), luminance(colours[other])))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("paper", ["ground", "sunk", "card"])
@pytest.mark.parametrize("ink", ["ink", "ink-soft", "jade", "jade-deep", "amber-ink", "brick", "leaf-ink"])
def test_every_ink_is_legible_on_every_paper(ink: str, paper: str) -> None:
    assert contrast(ink, paper) >= AA_TEXT


@pytest.mark.parametrize(
    "pair", ["jade-deep jade-soft", "amber-ink amber-soft", "brick brick-soft", "leaf-ink leaf-soft"]
)
def test_every_tag_is_legible(pair: str) -> None:
    assert contrast(*pair.split()) >= AA_TEXT


@pytest.mark.parametrize("line", ["edge", "focus"])
def test_borders_of_inputs_and_the_focus_ring_can_be_seen(line: str) -> None:
    assert min(contrast(line, "card"), contrast(line, "ground")) >= AA_EDGE


def test_no_template_needs_what_the_content_policy_refuses() -> None:
    for path in (ROOT / "templates").rglob("*.html"):
        text = path.read_text()
        assert not re.search(r"\sstyle=|\son[a-z]+=\"|<style|<script(?![^>]*\bsrc=)|javascript:", text), path


def test_every_icon_that_a_component_names_is_in_the_sprite() -> None:
    sprites = ["icons-first.svg", "icons.svg"]
    found = [name for one in sprites for name in re.findall(r'<symbol id="([a-z-]+)"', (STATIC / one).read_text())]
    drawn = set(found)
    assert len(found) == len(drawn)
    for path in (ROOT / "templates").rglob("*.html"):
        assert set(re.findall(r'\bicon\("([a-z-]+)"', path.read_text())) <= drawn, path


def test_the_stock_bar_has_its_parts_end_to_end(app: Flask) -> None:
    drawn = draw(app, "charts", 'stacked_bar("s", "Stock", 1015, 268, 22, 58, 1385)')
    bars = re.findall(r'(?:x="([\d.]+)%" )?y="8" width="([\d.]+)%"', drawn)[0:]
    parts = [(float(x or 0), float(width)) for x, width in bars if width != "100"]
    assert len(parts) == 4
    for (left, width), (following, _) in pairwise(parts):
        assert following == pytest.approx(left + width, abs=0.02)
    assert ">1,247<" in drawn
    assert "<details>" in drawn


def test_charts_of_nothing_are_drawn_without_dividing_by_it(app: Flask) -> None:
    assert 'width="0.0%"' in draw(app, "charts", 'bars("Reasons", [{"label": "None", "value": 0}])')
    assert "<figure" in draw(app, "charts", 'stacked_bar("s", "Stock", 0, 0, 0, 0)')
    assert "<figure" in draw(app, "charts", 'line_band("Ahead", [])')
    assert "<figure" in draw(app, "charts", 'funnel("Way", [])')
    assert "—" in draw(app, "charts", 'funnel("Way", [{"label": "Met", "value": 0}, {"label": "Joined", "value": 0}])')


def test_text_from_people_stays_text(app: Flask) -> None:
    drawn = draw(app, "cards", "task_card('<b>Đăng</b>', why='a & b')")
    assert "&lt;b&gt;Đăng&lt;/b&gt;" in drawn
    assert "a &amp; b" in drawn


def test_posting_macros_carry_the_token(app: Flask) -> None:
    for macros, text in [
        ("forms", 'form_open("/x")'),
        ("forms", 'act("Pause", "/x")'),
        ("sheet", 'outcome_buttons("/x")'),
        ("flashes", 'banner("Saved", undo_url="/x")'),
    ]:
        assert 'name="csrf_token" value="token"' in draw(app, macros, text)
    assert "csrf_token" not in draw(app, "forms", 'form_open("/x", method="get")')
