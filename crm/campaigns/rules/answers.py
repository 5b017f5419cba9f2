"""What people write back, and which of it is a refusal."""

import unicodedata
from enum import StrEnum

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from crm.campaigns.rules.texts import unaccented


class Meaning(StrEnum):
    """What an answer is: a refusal, a wish to get messages again, a machine's answer, or words for a person to read."""

    NO = "no"
    AGAIN = "again"
    MACHINE = "machine"
    WORDS = "words"


MEANINGS: dict[Meaning, LazyString] = {
    Meaning.NO: _l("Wants no more messages"),
    Meaning.AGAIN: _l("Wants messages again"),
    Meaning.MACHINE: _l("Answered by a machine"),
    Meaning.WORDS: _l("Wrote back"),
}

NO = frozenset(
    {
        "STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT",
        "TUCHOI", "TUCHOINHANTIN", "TUCHOINHAN", "TUCHOIQC", "TC", "TCQC", "HUY", "HUYTIN", "HUYNHANTIN", "HUYDANGKY",
        "NGUNG", "NGUNGGUI", "NGUNGNHANTIN", "DUNG", "DUNGGUI", "DUNGNHANTIN", "DUNGGUITIN", "DUNGGUINUA",
        "KHONGNHAN", "KHONGNHANTIN", "KHONGNHANTINNHAN", "KHONGNHANNUA", "KHONGNHANTINNUA", "KHONGNHANTINNHANNUA",
        "KHONGMUONNHANTIN", "KHONGMUONNHANTINNUA", "THOINHANTIN", "DUNGNHANTINNUA", "DUNGGUITINNUA", "STOPQC",
    }
)  # fmt: skip
"""Answers that say no, without accents, case, signs and spaces."""
OTHER_WORDS = frozenset({"đúng", "dũng", "dụng", "dùng", "đụng"})
"""With their accents these are other words than *dừng*: right, a name, to use."""
AGAIN = frozenset({"START", "UNSTOP", "YES", "DONGY", "DK", "DANGKY", "NHANTIN", "DONGYNHANTIN"})
"""Answers that ask for messages again: a person reads them, for a yes belongs to one purpose and needs its proof."""
BY_MACHINES = ("TU DONG TRA LOI", "TRA LOI TU DONG", "TIN NHAN TU DONG", "AUTO REPLY", "AUTOREPLY", "AUTOMATIC REPLY",
               "OUT OF OFFICE", "THUE BAO QUY KHACH", "DO NOT REPLY")  # fmt: skip
"""How answers of machines begin."""


def folded(body: str) -> str:
    """An answer's letters and figures alone, without accents, in capitals: *Từ chối!* → `TUCHOI`."""
    return "".join(c for c in unaccented(body).upper() if c.isalnum())


def is_a_no(body: str) -> bool:
    """Whether an answer refuses further messages: *STOP*, *Từ chối*, *TC*, *tu-choi*."""
    said = unicodedata.normalize("NFC", body).strip(" .!\n\r\t").lower()
    return folded(body) in NO and said not in OTHER_WORDS


def meaning_of(body: str, ours: str | None = None) -> Meaning:
    """What an answer says; `ours` is the last text that we sent there: a machine sends it back."""
    if is_a_no(body):
        return Meaning.NO
    if folded(body) in AGAIN:
        return Meaning.AGAIN
    plain = " ".join(unaccented(body).upper().split())
    if plain.startswith(BY_MACHINES) or (ours and folded(ours) == folded(body)):
        return Meaning.MACHINE
    return Meaning.WORDS
