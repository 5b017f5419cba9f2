"""The reminder rules of a town: what goes out today, to whom, why, and to whom not; changing and making rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.campaigns.rules.texts import size
from crm.campaigns.templating.queries import Shown
from crm.campaigns.templating.rules import REGISTERED, SIGNS
from crm.db import session, transaction
from crm.errors import RuleBroken
from crm.prospects.queries.seeing import visible_to
from crm.reminders import queries, services
from crm.reminders.forms import NewRuleForm, PeopleForm, RuleForm
from crm.reminders.rules import ABOUT, ALL, EVENTS, PLACES, SHIPPED, WHY_NOT, Reminder
from crm.web.forms import refusals_flashed, refusals_on
from crm.web.guard import may

bp = Blueprint("reminders", __name__, url_prefix="/reminders")
bp.context_processor(
    lambda: {"events": EVENTS, "about": ABOUT, "why_words": WHY_NOT, "REGISTERED": REGISTERED, "SIGNS": SIGNS}
)
PAGE = 50
A_MONTH = timedelta(days=30)


def _rule(code: str) -> Reminder:
    return queries.rule_of(session(), current_scope().town_id, code)


@bp.get("")
@may(May.SEE_MESSAGES)
def listing() -> ResponseReturnValue:
    """All rules: when they leave, whether they are on, how many go out today and within a week."""
    scope, today = current_scope(), clock.today()
    rules = queries.rules_of(session(), scope.town_id)
    told = {one.code: queries.counts(session(), one, scope.town_id, today, visible_to(scope)) for one in rules}
    sent = queries.sent_since(session(), scope.town_id, today - A_MONTH, visible_to(scope))
    stay = queries.staying(session(), scope.town_id, rules, today)
    return render_template("reminders/listing.html", rules=rules, told=told, sent=sent, stay=stay)


@bp.get("/<rule_code>")
@may(May.SEE_MESSAGES)
def show(rule_code: str) -> ResponseReturnValue:
    """Who is told today, within a week, or not and why."""
    rule, scope, today, form = _rule(rule_code), current_scope(), clock.today(), PeopleForm(request.args)
    which = form.which.data if form.validate() and form.which.data else "today"
    asked: dict[str, Any] = {"which": which, "cursor": request.args.get("cursor"), "size": PAGE}
    return render_template(
        "reminders/show.html",
        rule=rule,
        which=which,
        page=queries.people_page(session(), rule, scope.town_id, today, visible_to(scope), **asked),
        counts=queries.counts(session(), rule, scope.town_id, today, visible_to(scope)),
        whys=queries.why_counts(session(), rule, scope.town_id, today, visible_to(scope)),
        preview=_preview(rule),
        today=today,
        stays=rule.code in queries.staying(session(), scope.town_id, [rule], today),
        template=queries.template_with(session(), scope.town_id, rule.template_version_id),
    )


def _preview(rule: Reminder) -> dict[str, Any] | None:
    """What a real person would read, what it costs, and who it is; None where there is nobody to show it on."""
    scope, today = current_scope(), clock.today()
    someone = queries.example(session(), rule, scope.town_id, today, visible_to(scope))
    if someone is None:
        return None
    try:
        body = services.text_for(rule, [someone], today)
    except RuleBroken:
        return None
    return {"body": body, "name": someone.name, "size": size(body)}


@bp.get("/<rule_code>/edit")
@may(May.RUN_CAMPAIGNS)
def edit(rule_code: str) -> ResponseReturnValue:
    """A rule as it is, to change."""
    rule = _rule(rule_code)
    offered = _offered(rule)
    return _form_page(rule, RuleForm.showing(rule).offering(_named(offered)), rule, offered)


def _offered(rule: Reminder) -> list[Shown]:
    return queries.templates_for(session(), current_scope().town_id, rule.event, rule.template_version_id)


def _named(offered: Sequence[Shown]) -> list[tuple[UUID, str]]:
    return [(one.version.id, one.template.name) for one in offered]


def _form_page(rule: Reminder, form: RuleForm, shown: Reminder, offered: Sequence[Shown]) -> str:
    drawn: str = render_template(
        "reminders/edit.html",
        offered=offered,
        rule=rule,
        form=form,
        places=PLACES[rule.event],
        preview=_preview(shown),
        changes=queries.changes_of(session(), current_scope().town_id, rule.code),
        shipped=ALL.get(rule.code),
    )
    return drawn


@bp.post("/<rule_code>/edit")
@may(May.RUN_CAMPAIGNS)
def change(rule_code: str) -> ResponseReturnValue:
    """Keep a rule as it was typed; or show what somebody would read."""
    rule = _rule(rule_code)
    offered = _offered(rule)
    form = RuleForm().offering(_named(offered))
    if form.validate():
        wanted = form.rule(rule, {str(one.version.id): one.version.text for one in offered})
        if request.form.get("step") == "preview":
            return _form_page(rule, form, wanted, offered)
        with refusals_on(form), transaction() as current:
            services.change_rule(current, current_scope().town_id, wanted, by=current_user(), at=clock.now())
            flash(_("Kept."), "success")
            return redirect(url_for(".show", rule_code=rule_code), 303)
    return _form_page(rule, form, rule, offered), 422


@bp.post("/<rule_code>/template")
@may(May.RUN_CAMPAIGNS)
def make_template(rule_code: str) -> ResponseReturnValue:
    """Its words become a template, which can be registered with the carrier."""
    _rule(rule_code)
    with refusals_flashed(), transaction() as current:
        made = services.make_template(current, current_scope().town_id, rule_code, by=current_user(), at=clock.now())
        return redirect(url_for("templating.show", template_id=made.id), 303)
    return redirect(url_for(".show", rule_code=rule_code), 303)


@bp.get("/new")
@may(May.RUN_CAMPAIGNS)
def new() -> ResponseReturnValue:
    """What a new rule is about."""
    return render_template("reminders/new.html", form=NewRuleForm())


@bp.post("/new")
@may(May.RUN_CAMPAIGNS)
def make() -> ResponseReturnValue:
    """A new rule, still off, with the words of the shipped one; it is edited next."""
    form = NewRuleForm()
    if not form.validate():
        return render_template("reminders/new.html", form=form), 422
    like = next(one for one in SHIPPED if one.event is form.what)
    with transaction() as current:
        made = services.make_rule(current, current_scope().town_id, like, by=current_user(), at=clock.now())
    return redirect(url_for(".edit", rule_code=made), 303)
