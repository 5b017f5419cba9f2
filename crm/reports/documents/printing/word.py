"""The report as a Word document, filled into a template that an office can change.

A template says where things stand by places such as {{ so_ky_hieu }}. Of the template language only reading a place,
going through a list and asking whether there is something are allowed (`check`): an uploaded file can run nothing.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from docxtpl import DocxTemplate
from flask_babel import lazy_gettext as _l
from jinja2 import StrictUndefined, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from crm.errors import RuleBroken
from crm.reports.documents.paper import Paper, heads, remarks, shown, to_the_right
from crm.reports.documents.rules import Section
from crm.reports.documents.sheets import Sheet

SHIPPED = Path(__file__).parents[1] / "papers" / "bao-cao.docx"
LARGEST = 2 * 1024**2
LARGEST_UNPACKED = 20 * 1024**2
ENDING = ".docx"
NEAR = 30
"""So many letters of a misspelt place are quoted."""
DEEPEST = 3
"""Lists within lists."""
FIXED = (2019, 8, 1, 0, 0, 0)
"""The moment on every part inside the file, so that the same paper is the same bytes."""

SECTION_PLACES: Mapping[Section, str] = {
    Section.OPENING: "muc_mo_dau",
    Section.DIRECTION: "muc_chi_dao",
    Section.NUMBER: "muc_so_luong",
    Section.PLACES: "muc_dia_ban",
    Section.ORGANISATIONS: "muc_to_chuc",
    Section.SPONSORS: "muc_ho_tro",
    Section.SHORTCOMINGS: "muc_ton_tai",
    Section.TASKS: "muc_nhiem_vu",
    Section.PROPOSALS: "muc_kien_nghi",
}
PLACES: Mapping[str, Any] = {
    "co_quan_chu_quan": _l("the superior office"),
    "co_quan_ban_hanh": _l("the office that issues it"),
    "so_ky_hieu": _l("number and symbol"),
    "dia_danh_ngay_thang": _l("place and date"),
    "tieu_de": _l("what the report is about"),
    "ky": _l("the period in words"),
    "den_ngay": _l("the last day of the figures"),
    "dia_ban": _l("the town or ward"),
    "noi_dung": _l("the whole text: a list with .chuong, .muc and .doan"),
    **dict.fromkeys(SECTION_PLACES.values(), _l("one section: a list of paragraphs")),
    "ket_thuc": _l("the closing sentence with ./."),
    "noi_nhan": _l("who receives it: a list of lines"),
    "quyen_ky": _l("who signs: a list of lines"),
    "nguoi_ky": _l("the name under the signature"),
    "bieu": _l("the forms: a list with .ten, .tieu_de, .don_vi, .bang and .ghi_chu"),
    "so_trang_o_tren": _l("whether the number of the page stands at the top (Decree 30/2020)"),
    "so_chot": _l("the number of the frozen figures"),
    "ma_kiem_tra": _l("the sentence with the seal of the figures"),
    "dang_tham_gia": _l("people taking part"),
    "chi_tieu": _l("the target"),
    "ty_le": _l("per cent of the target"),
    "tang": _l("how many came in the period"),
    "giam": _l("how many left in the period"),
}
"""What a template may name, and what it means."""
PARTS_OF = {"noi_dung": {"chuong", "muc", "doan"}, "bieu": {"ten", "tieu_de", "don_vi", "bang", "ghi_chu"}}
_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Getattr,
    nodes.For,
    nodes.If,
    nodes.Not,
    nodes.And,
    nodes.Or,
    nodes.Filter,
)
_FILTERS = ("upper", "lower")


def document(paper: Paper, template: bytes | None = None) -> bytes:
    """The report in a template, by default the one shipped; the same bytes for the same paper."""
    return filled(places_of(paper), template)


def filled(places: Mapping[str, Any], template: bytes | None = None) -> bytes:
    """A template with these words at its places; the same bytes for the same words."""
    opened = _open(template)
    opened.render(places, jinja_env=_environment(), autoescape=True)
    made = io.BytesIO()
    opened.save(made)
    return _packed_anew(made.getvalue())


def _open(template: bytes | None) -> Any:
    opened = DocxTemplate(io.BytesIO(SHIPPED.read_bytes() if template is None else template))
    opened.init_docx()
    return opened


def _environment() -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(autoescape=True, undefined=StrictUndefined)


def _packed_anew(content: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            new.writestr(zipfile.ZipInfo(name, FIXED), old.read(name), zipfile.ZIP_DEFLATED)
    return made.getvalue()


def places_of(paper: Paper) -> dict[str, Any]:
    """What stands at each place."""
    sections = paper.sections
    as_of = paper.facts["as_of"]
    return {
        "co_quan_chu_quan": paper.superior,
        "co_quan_ban_hanh": paper.issuer,
        "so_ky_hieu": paper.numbered,
        "dia_danh_ngay_thang": paper.dated,
        "tieu_de": paper.title,
        "ky": paper.period,
        "den_ngay": f"{as_of[8:]}/{as_of[5:7]}/{as_of[:4]}",
        "dia_ban": paper.facts["place"] or paper.facts["town"],
        "noi_dung": [{"chuong": one.chapter, "muc": one.heading, "doan": list(one.paragraphs)} for one in paper.parts],
        **{place: list(sections.get(section, ())) for section, place in SECTION_PLACES.items()},
        "ket_thuc": paper.closing,
        "noi_nhan": paper.recipients,
        "quyen_ky": paper.sign_lines,
        "nguoi_ky": paper.head.signer,
        "bieu": [
            {
                "ten": one["form"],
                "tieu_de": one["title"].upper(),
                "don_vi": f"Đơn vị tính: {one['unit'].lower()}",
                "bang": table_of(one),
                "ghi_chu": remarks(one),
            }
            for one in paper.sheets
        ],
        "so_trang_o_tren": paper.layout.page_number_on_top,
        "so_chot": paper.label,
        "ma_kiem_tra": paper.sealed,
        **_figures(paper.facts.get("total")),
    }


def _figures(total: Mapping[str, Any] | None) -> dict[str, str]:
    """The figures a template may name by themselves; of a paper that counts nobody none."""
    if total is None:
        return dict.fromkeys(("dang_tham_gia", "chi_tieu", "ty_le", "tang", "giam"), "")
    return {
        "dang_tham_gia": shown(total["now"], ""),
        "chi_tieu": shown(total["target"], ""),
        "ty_le": shown(round(100 * total["now"] / total["target"], 2) if total["target"] else None, "percent"),
        "tang": shown(total["joined"] + total["returned"], ""),
        "giam": shown(total["left"], ""),
    }


# ---- a table in Word's own words

WIDE = 14_000
"""Twentieths of a point between the margins of a page across."""
SIZES = ((13, 22), (15, 19))
"""Up to how many columns, letters of how many half points."""
SMALLEST = 17


def table_of(one: Sheet, sizes: Sequence[tuple[int, int]] = SIZES) -> Markup:
    """A table with a head that is repeated on each page and rows that are not cut; `sizes` of letters as SIZES has them."""
    columns = one["columns"]
    whole = sum(column["width"] for column in columns)
    widths = [WIDE * column["width"] // whole for column in columns]
    size = next((size for most, size in sizes if len(columns) <= most), SMALLEST)
    lines = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="000000"/>'
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    body = "".join(
        _row(
            [
                _cell(
                    shown(value, columns[place]["holds"]),
                    widths[place],
                    size=size,
                    align="right" if to_the_right(columns[place]["holds"]) else "left",
                    bold=one["total"] and at == len(one["rows"]) - 1,
                )
                for place, value in enumerate(row)
            ]
        )
        for at, row in enumerate(one["rows"])
    )
    return Markup(  # noqa: S704  # every value in it was escaped
        f'<w:tbl><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:jc w:val="center"/><w:tblBorders>{lines}</w:tblBorders>'
        '<w:tblLayout w:type="fixed"/><w:tblCellMar><w:left w:w="50" w:type="dxa"/><w:right w:w="50" w:type="dxa"/>'
        f"</w:tblCellMar></w:tblPr><w:tblGrid>{grid}</w:tblGrid>{_head(one, widths, size)}{body}</w:tbl>"
    )


def _head(one: Sheet, widths: list[int], size: int) -> str:
    first, second = heads(one)
    top, below, column, waiting = [], [], 0, iter(second)
    for words, wide, tall in first:
        width = sum(widths[column : column + wide])
        span = f'<w:gridSpan w:val="{wide}"/>' if wide > 1 else ""
        merge = '<w:vMerge w:val="restart"/>' if second and tall > 1 else ""
        top.append(_cell(words, width, size=size, align="center", bold=True, more=span + merge))
        if second and tall > 1:
            below.append(_cell("", width, size=size, align="center", bold=True, more="<w:vMerge/>"))
        elif second:
            for place in range(column, column + wide):
                below.append(_cell(next(waiting), widths[place], size=size, align="center", bold=True))
        column += wide
    rows = [_row(top, head=True), *([_row(below, head=True)] if second else [])]
    return "".join(rows)


def _row(cells: list[str], *, head: bool = False) -> str:
    repeated = "<w:tblHeader/>" if head else ""
    return f"<w:tr><w:trPr><w:cantSplit/>{repeated}</w:trPr>{''.join(cells)}</w:tr>"


def _cell(words: str, width: int, *, size: int, align: str, bold: bool, more: str = "") -> str:
    strong = "<w:b/>" if bold else ""
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{more}<w:vAlign w:val="center"/></w:tcPr>'
        f'<w:p><w:pPr><w:spacing w:before="20" w:after="20" w:line="240" w:lineRule="auto"/><w:ind w:firstLine="0"/><w:jc w:val="{align}"/>'
        f'</w:pPr><w:r><w:rPr><w:rFonts w:ascii="Times New Roman" w:hAnsi="Times New Roman" w:cs="Times New Roman"/>{strong}'
        f'<w:sz w:val="{size}"/><w:szCs w:val="{size}"/></w:rPr><w:t xml:space="preserve">{escape(words)}</w:t></w:r></w:p></w:tc>'
    )


# ---- what an office uploads


def check(name: str, content: bytes, sample: Paper) -> None:
    """Whether a file can be a template. Raises RuleBroken with a sentence that says what to mend."""
    if not name.lower().endswith(ENDING):
        raise RuleBroken(_l("This is not a Word document (.docx). In Word choose «Save as», then .docx."), field="file")
    if len(content) > LARGEST:
        raise RuleBroken(_l("The file is larger than 2 MB. Take large pictures out of it."), field="file")
    _check_package(content)
    try:
        opened = _open(content)
        sources = list(_sources(opened))
    except Exception as broken:
        raise RuleBroken(
            _l("This file cannot be read as a Word document. Open it in Word, save it anew as .docx, and try again."),
            field="file",
        ) from broken
    named: set[str] = set()
    for written, source in sources:
        named |= _check_places(written, source)
    missing = [one for one in ("so_ky_hieu", "ma_kiem_tra") if one not in named]
    if missing:
        raise RuleBroken(
            _l("The template has no place %(places)s: the report needs it.", places=_written(missing)), field="file"
        )
    try:
        document(sample, content)
    except Exception as broken:
        raise RuleBroken(
            _l("The template cannot be filled: %(why)s. Compare it with the shipped one.", why=str(broken)[:200]),
            field="file",
        ) from broken


def _check_package(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            parts = packed.infolist()
            if sum(part.file_size for part in parts) > LARGEST_UNPACKED:
                raise RuleBroken(_l("The file is larger than it may be when unpacked."), field="file")
            names = {part.filename for part in parts}
            outside = [
                name for name in names if name.endswith(".rels") and b'TargetMode="External"' in packed.read(name)
            ]
            hidden = [
                name
                for name in names
                if name.startswith(("docProps/", "word/footnotes", "word/endnotes", "word/comments"))
                and (b"{{" in packed.read(name) or b"{%" in packed.read(name))
            ]
    except zipfile.BadZipFile as broken:
        raise RuleBroken(
            _l("This file cannot be read as a Word document. Open it in Word, save it anew as .docx, and try again."),
            field="file",
        ) from broken
    if any("vbaproject" in name.lower() or "activex" in name.lower() for name in names):
        raise RuleBroken(_l("The file holds macros. Save it without them."), field="file")
    if outside:
        raise RuleBroken(
            _l("The file reaches for something outside it, such as a linked picture or a web address. Take that out."),
            field="file",
        )
    if hidden:
        raise RuleBroken(
            _l("Places may stand in the text, the header and the footer only, not in notes, comments or properties."),
            field="file",
        )


def _sources(opened: Any) -> Iterator[tuple[str, str]]:
    """Each part as it is written, and as it is filled in."""
    parts = [opened.get_xml()]
    for uri in (opened.HEADER_URI, opened.FOOTER_URI):
        parts += [opened.get_part_xml(part) for _key, part in opened.get_headers_footers(uri)]
    for part in parts:
        yield part, opened.patch_xml(part)


def _check_places(written: str, source: str) -> set[str]:
    """The places a part of the template names. Raises RuleBroken for what is none of ours."""
    try:
        tree = _environment().parse(source)
    except TemplateError as broken:
        raise RuleBroken(_misspelt(written), field="file") from broken
    strange = [node for node in _all(tree) if not isinstance(node, _ALLOWED)]
    strange += [node for node in tree.find_all(nodes.Filter) if node.name not in _FILTERS]
    if strange:
        raise RuleBroken(
            _l("A template may only show places, go through a list, and ask whether there is something; nothing else."),
            field="file",
        )
    _check_depth(tree, 0)
    own = {name.name for loop in tree.find_all(nodes.For) for name in [loop.target] if isinstance(name, nodes.Name)}
    named = {node.name for node in tree.find_all(nodes.Name) if node.ctx == "load"}
    unknown = sorted(named - own - set(PLACES))
    parts = {part for known in PARTS_OF.values() for part in known}
    unknown += sorted({f"….{node.attr}" for node in tree.find_all(nodes.Getattr) if node.attr not in parts})
    if unknown:
        raise RuleBroken(
            _l(
                "The template names places that there are not: %(places)s. The list below has them all.",
                places=_written(unknown),
            ),
            field="file",
        )
    return named


def _misspelt(written: str) -> Any:
    """What is said of a template that cannot be read: the words at the first place whose braces are not closed."""
    words = re.sub(r"<[^>]*>", "", written)
    found = re.search(r"\{\{(?![^{}]*\}\})|\{%(?![^{}]*%\})", words)
    if found is None:
        return _l(
            "A list or a question in the template has no end, or a place is misspelt. Compare it with the shipped one."
        )
    near = " ".join(words[found.start() : found.start() + NEAR].split())
    return _l("A place in the template is not closed: «%(near)s…».", near=near)


def _all(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    for child in node.iter_child_nodes():
        yield from _all(child)


def _check_depth(node: nodes.Node, depth: int) -> None:
    for child in node.iter_child_nodes():
        deeper = depth + isinstance(child, nodes.For)
        if deeper > DEEPEST:
            raise RuleBroken(_l("The template has lists within lists within lists. Make it simpler."), field="file")
        _check_depth(child, deeper)


def _written(places: Collection[str]) -> str:
    return ", ".join(f"«{place}»" for place in places)
