"""The page of the law in English: every note and source is told, every title has its gloss."""

from __future__ import annotations

import re

from flask.testing import FlaskClient

from crm.premiums.services import in_english, law_as_shipped, law_entries, repeals


def vietnamese_in(text: str) -> list[str]:
    """Words in small letters with a mark: no codes of documents, no names."""
    words = re.findall(r"(?<![\w/-])\w{2,}(?![\w/-])", text)
    return [word for word in words if word.islower() and not word.isascii()]


def test_every_note_and_source_of_the_law_has_its_english() -> None:
    english = in_english()
    for entry in law_entries():
        note, source = entry["note"], english.source(entry["source"])
        assert not note or english.note(note), note
        assert source.isascii() or source != entry["source"], source
        assert not vietnamese_in(f"{english.note(note) or ''} {source}"), (note, source)


def test_no_english_is_kept_of_what_nobody_says() -> None:
    english = in_english()
    assert english.notes.keys() <= {entry["note"] for entry in law_entries()}
    assert english.sources.keys() <= {entry["source"] for entry in law_entries()}


def test_every_title_is_glossed_whole() -> None:
    titles = {value.reference for value in law_as_shipped().values} | {one.by for one in repeals()}
    for title in titles:
        assert not vietnamese_in(in_english().title(title)), title


def test_a_document_to_come_is_glossed_by_its_words() -> None:
    title = in_english().title("Nghị định 12/2027/NĐ-CP, Điều 4 khoản 2 điểm b")
    assert title == "Decree 12/2027/NĐ-CP, Article 4 clause 2 point b"
    assert in_english().title("Điềugì") == "Điềugì"


def test_whoever_reads_english_reads_the_notes(client: FlaskClient) -> None:
    client.get("/language/en")
    page = client.get("/law?open=all").text
    assert "Nghị định 134/2015/NĐ-CP, Điều 14" in page
    assert "(Decree 134/2015/NĐ-CP, Article 14)" in page
    assert "No legal text that sets this step was seen." in page
    assert "Chưa thấy văn bản" not in page
    client.get("/language/vi")
    page = client.get("/law?open=all").text
    assert "Chưa thấy văn bản luật quy định bước này." in page
    assert "Decree 134" not in page


def test_a_document_is_found_by_its_english_title(client: FlaskClient) -> None:
    assert "support_cap_months" in client.get("/law?q=decree+134").text
    assert "support_cap_months" not in client.get("/law?q=decree+999").text
