"""What lists show beside the name."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm.accounts.gateway import current_user
from crm.accounts.rules import May
from crm.db import transaction
from crm.prospects.lists.forms import ColumnsForm
from crm.prospects.lists.routes.blueprint import bp
from crm.prospects.lists.rules import MOST_ON_THE_PAGE, ON_THE_PAGE, USUAL_COLUMNS
from crm.web.guard import may


@bp.get("/columns")
@may(May.SEE_PEOPLE)
def columns() -> ResponseReturnValue:
    """What lists show me beside the name."""
    now = current_user().list_columns
    form = ColumnsForm(formdata=None, data={"columns": now if now is not None else [str(one) for one in USUAL_COLUMNS]})
    form.offer(ON_THE_PAGE)
    return render_template("prospects/lists/columns.html", form=form, most=MOST_ON_THE_PAGE)


@bp.post("/columns")
@may(May.SEE_PEOPLE)
def choose_columns() -> ResponseReturnValue:
    """Keep the columns with my account."""
    form = ColumnsForm()
    form.offer(ON_THE_PAGE)
    picked = form.columns.data or []
    if form.validate() and len(picked) <= MOST_ON_THE_PAGE:
        with transaction():
            current_user().list_columns = picked
        return redirect(url_for("prospects.listing"), 303)
    if not form.errors:
        form.columns.errors = [_("Choose at most %(most)s columns; a page holds no more.", most=MOST_ON_THE_PAGE)]
    return render_template("prospects/lists/columns.html", form=form, most=MOST_ON_THE_PAGE), 422
