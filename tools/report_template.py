"""Draw the Word templates that the program ships, of reports and of single forms: python -m tools.report_template.

The layout of Decree 30/2020, appendix I: A4, the country's name at the right, Times New Roman, body 14 justified with a
first line of 1 cm, the number of the page from the second page on.
"""

from __future__ import annotations

import datetime
import io
from pathlib import Path
from typing import Any

from docx import Document
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.text import WD_ALIGN_PARAGRAPH as ALIGN
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from crm.reports.documents.printing.word import SHIPPED, _packed_anew
from crm.reports.printing import FORM

FONT = "Times New Roman"
LEFT, RIGHT, TOP = Mm(30), Mm(18), Mm(22)


def main() -> None:
    _save(_report(), "Báo cáo", SHIPPED)
    _save(_form(), "Biểu", FORM)


def _report() -> Any:
    document = Document()
    _styles(document)
    upright = document.sections[0]
    upright.page_width, upright.page_height = Mm(210), Mm(297)
    upright.left_margin, upright.right_margin, upright.top_margin, upright.bottom_margin = LEFT, RIGHT, TOP, TOP
    upright.header_distance = upright.footer_distance = Mm(11)
    upright.different_first_page_header_footer = True
    _page_number(upright.header.paragraphs[0], "so_trang_o_tren", ALIGN.CENTER)
    _page_number(upright.footer.paragraphs[0], "not so_trang_o_tren", ALIGN.RIGHT)
    _letterhead(document)
    _letter(document)
    _signature(document)
    across = document.add_section(WD_SECTION.NEW_PAGE)
    _across(across)
    across.different_first_page_header_footer = False
    _forms(document)
    return document


def _across(section: Any) -> None:
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Mm(297), Mm(210)
    section.left_margin, section.right_margin, section.top_margin, section.bottom_margin = (
        Mm(25),
        Mm(20),
        Mm(20),
        Mm(18),
    )


def _form() -> Any:
    """One form across the page, with what it is called, its tables, and who signs."""
    document = Document()
    _styles(document)
    across = document.sections[0]
    _across(across)
    across.header_distance = across.footer_distance = Mm(11)
    across.different_first_page_header_footer = True
    _page_number(across.header.paragraphs[0], "so_trang_o_tren", ALIGN.CENTER)
    half = (112, 140)
    left, right = _columns(document, half).rows[0].cells
    _line(left, "{{ co_quan_ban_hanh }}", align=ALIGN.CENTER, first=True, size=12, bold=True)
    _rule(left, 43)
    _country(right, 41)
    numbers = _columns(document, half).rows[0].cells
    _line(numbers[0], "{{ ten }}", align=ALIGN.CENTER, first=True, size=12, bold=True)
    _line(numbers[1], "{{ dia_danh_ngay_thang }}", align=ALIGN.CENTER, first=True, size=12, italic=True)
    _line(document, "{{ tieu_de }}", align=ALIGN.CENTER, size=14, bold=True).paragraph_format.space_before = Pt(10)
    _line(document, "{{ ky }}", align=ALIGN.CENTER, size=12).paragraph_format.space_after = Pt(4)
    _line(document, "{%p for b in bang_bieu %}")
    _line(document, "{%p if b.tieu_de %}")
    _heading(_line(document, "{{ b.tieu_de }}", size=12, bold=True))
    _line(document, "{%p endif %}")
    _line(document, "{{ b.cach_tinh }}", size=11, italic=True).paragraph_format.space_after = Pt(3)
    _line(document, "{%p if b.bang %}")
    _line(document, "{{p b.bang }}")
    _line(document, "{%p endif %}")
    _line(document, "{%p for dong in b.ghi_chu %}")
    _line(document, "– {{ dong }}", size=10)
    _line(document, "{%p endfor %}")
    _line(document, "{%p endfor %}")
    signed = _columns(document, (126, 126)).rows[0]
    signed._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
    for cell, who in zip(signed.cells, ("nguoi_lap", "thu_truong"), strict=True):
        _line(
            cell, f"{{{{ {who} }}}}", align=ALIGN.CENTER, first=True, size=12, bold=True
        ).paragraph_format.space_before = Pt(10)
        _line(cell, "{{ ky_ten }}", align=ALIGN.CENTER, size=11, italic=True)
    for _gap in range(4):
        _line(signed.cells[1], "", align=ALIGN.CENTER)
    return document


def _save(document: Any, title: str, to: Path) -> None:
    about = document.core_properties
    about.title, about.author, about.comments = title, "", ""
    about.created = about.modified = datetime.datetime(2019, 8, 1)
    made = io.BytesIO()
    document.save(made)
    to.write_bytes(_packed_anew(made.getvalue()))


def _styles(document: Any) -> None:
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = FONT, Pt(14)
    normal.element.rPr.rFonts.set(qn("w:eastAsia"), FONT)
    normal.paragraph_format.space_after = normal.paragraph_format.space_before = Pt(0)
    normal.paragraph_format.line_spacing = 1.0


def _words(paragraph: Any, text: str, *, size: float = 14, bold: bool = False, italic: bool = False) -> Any:
    run = paragraph.add_run(text)
    run.font.size, run.bold, run.italic, run.font.name = Pt(size), bold, italic, FONT
    return run


def _line(holder: Any, text: str, *, align: Any = ALIGN.LEFT, first: bool = False, **style: Any) -> Any:
    paragraph = holder.paragraphs[0] if first else holder.add_paragraph()
    paragraph.alignment = align
    if text:
        _words(paragraph, text, **style)
    return paragraph


def _rule(holder: Any, indent: float, *, after: float = 0) -> None:
    """A line a third to a half as long as what it stands under."""
    paragraph = holder.add_paragraph()
    form = paragraph.paragraph_format
    form.left_indent = form.right_indent = Mm(indent)
    form.line_spacing, form.space_after = Pt(4), Pt(after)
    borders = OxmlElement("w:pBdr")
    top = OxmlElement("w:top")
    for name, value in (("val", "single"), ("sz", "6"), ("space", "1"), ("color", "000000")):
        top.set(qn(f"w:{name}"), value)
    borders.append(top)
    paragraph._p.get_or_add_pPr().insert_element_before(
        borders, "w:shd", "w:tabs", "w:suppressAutoHyphens", "w:spacing", "w:ind", "w:jc", "w:rPr"
    )
    _words(paragraph, "", size=2)


def _columns(document: Any, widths: tuple[float, float]) -> Any:
    table = document.add_table(rows=1, cols=2)
    table.autofit = False
    for cell, width in zip(table.rows[0].cells, widths, strict=True):
        cell.width = Mm(width)
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Mm(width)
    return table


def _letterhead(document: Any) -> None:
    left, right = _columns(document, (67, 95)).rows[0].cells
    _line(left, "{%p if co_quan_chu_quan %}", first=True)
    _line(left, "{{ co_quan_chu_quan }}", align=ALIGN.CENTER, size=12)
    _line(left, "{%p endif %}")
    _line(left, "{{ co_quan_ban_hanh }}", align=ALIGN.CENTER, size=12, bold=True)
    _rule(left, 21)
    _country(right, 19)
    numbers = _columns(document, (67, 95)).rows[0].cells
    _line(numbers[0], "{{ so_ky_hieu }}", align=ALIGN.CENTER, first=True, size=13)
    _line(numbers[1], "{{ dia_danh_ngay_thang }}", align=ALIGN.CENTER, first=True, size=13, italic=True)


def _country(holder: Any, indent: float) -> None:
    _line(holder, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", align=ALIGN.CENTER, first=True, size=12, bold=True)
    _line(holder, "Độc lập - Tự do - Hạnh phúc", align=ALIGN.CENTER, size=13, bold=True)
    _rule(holder, indent)


def _letter(document: Any) -> None:
    title = _line(document, "BÁO CÁO", align=ALIGN.CENTER, size=14, bold=True)
    title.paragraph_format.space_before = Pt(14)
    _line(document, "{{ tieu_de }}", align=ALIGN.CENTER, size=14, bold=True)
    _rule(document, 60, after=8)
    _line(document, "{%p for phan in noi_dung %}")
    _line(document, "{%p if phan.chuong %}")
    _heading(_line(document, "{{ phan.chuong }}", bold=True))
    _line(document, "{%p endif %}")
    _line(document, "{%p if phan.muc %}")
    _heading(_line(document, "{{ phan.muc }}", bold=True)).paragraph_format.first_line_indent = Mm(10)
    _line(document, "{%p endif %}")
    _line(document, "{%p for doan in phan.doan %}")
    _body(_line(document, "{{ doan }}"))
    _line(document, "{%p endfor %}")
    _line(document, "{%p endfor %}")
    _body(_line(document, "{{ ket_thuc }}"))


def _heading(paragraph: Any) -> Any:
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(6)
    paragraph.paragraph_format.keep_with_next = True
    return paragraph


def _body(paragraph: Any) -> None:
    paragraph.alignment = ALIGN.JUSTIFY
    form = paragraph.paragraph_format
    form.first_line_indent, form.space_after, form.line_spacing = Mm(10), Pt(6), 1.1


def _signature(document: Any) -> None:
    document.add_paragraph().paragraph_format.line_spacing = Pt(8)
    table = _columns(document, (81, 81))
    properties = table.rows[0]._tr.get_or_add_trPr()
    properties.append(OxmlElement("w:cantSplit"))
    left, right = table.rows[0].cells
    _line(left, "Nơi nhận:", first=True, size=12, bold=True, italic=True)
    _line(left, "{%p for dong in noi_nhan %}")
    _line(left, "{{ dong }}", size=11)
    _line(left, "{%p endfor %}")
    _line(right, "{%p for dong in quyen_ky %}", first=True)
    _line(right, "{{ dong }}", align=ALIGN.CENTER, bold=True)
    _line(right, "{%p endfor %}")
    for _gap in range(4):
        _line(right, "", align=ALIGN.CENTER)
    _line(right, "{{ nguoi_ky }}", align=ALIGN.CENTER, bold=True)


def _forms(document: Any) -> None:
    _line(document, "{%p for b in bieu %}")
    name = _line(document, "{{ b.ten }}", align=ALIGN.RIGHT, size=12, bold=True)
    name.paragraph_format.page_break_before = name.paragraph_format.keep_with_next = True
    title = _line(document, "{{ b.tieu_de }}", align=ALIGN.CENTER, size=13, bold=True)
    title.paragraph_format.keep_with_next = True
    _line(document, "Kỳ báo cáo: {{ ky }} (số liệu tính đến hết ngày {{ den_ngay }})", align=ALIGN.CENTER, size=12)
    _line(document, "{{ b.don_vi }}", align=ALIGN.RIGHT, size=11, italic=True).paragraph_format.keep_with_next = True
    _line(document, "{{p b.bang }}")
    _line(document, "{{ b.ghi_chu }}", size=10, italic=True)
    _line(document, "{%p endfor %}")
    _line(document, "{{ ma_kiem_tra }}", size=10, italic=True)


def _page_number(paragraph: Any, where: str, align: Any) -> None:
    paragraph.alignment = align
    _words(paragraph, f"{{%r if {where} %}}", size=13)
    for kind, text in (("begin", None), (None, "PAGE"), ("separate", None), ("text", "2"), ("end", None)):
        run = _words(paragraph, "", size=13)._r
        if kind == "text":
            shown = OxmlElement("w:t")
            shown.text = text
        elif kind is None:
            shown = OxmlElement("w:instrText")
            shown.set(qn("xml:space"), "preserve")
            shown.text = f" {text} "
        else:
            shown = OxmlElement("w:fldChar")
            shown.set(qn("w:fldCharType"), kind)
        run.append(shown)
    _words(paragraph, "{%r endif %}", size=13)


if __name__ == "__main__":
    main()
