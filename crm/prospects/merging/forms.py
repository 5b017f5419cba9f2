"""What is asked about two records: one person or two, and which particulars hold."""

from __future__ import annotations

from wtforms import RadioField, SelectMultipleField, StringField
from wtforms.validators import AnyOf, Optional

from crm.prospects.merging.rules import CHOSEN
from crm.web.fields import MomentField
from crm.web.forms import Form

KEPT, GONE = "kept", "gone"
MERGE, DIFFERENT, LATER = "merge", "different", "later"


class CompareForm(Form):
    """The answer about a pair; for each particular that differs, whose holds (`pick_full_name`: kept or gone)."""

    act = StringField(validators=[AnyOf((MERGE, DIFFERENT, LATER))])
    knowing = MomentField()
    """When the answer about this pair was given that the page showed."""

    @property
    def taken(self) -> list[str]:
        """The particulars that the kept record takes from the other."""
        return [name for name in CHOSEN if self[f"pick_{name}"].data == GONE]


for _name in CHOSEN:
    setattr(
        CompareForm,
        f"pick_{_name}",
        RadioField(choices=[(KEPT, KEPT), (GONE, GONE)], validators=[Optional()], validate_choice=False),
    )


class PartForm(Form):
    """What came after the merge and goes with the record that had gone."""

    given = SelectMultipleField(validate_choice=False)
