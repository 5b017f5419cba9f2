"""The packages of the program and what each brings. Adding a package adds its lines here."""

from __future__ import annotations

from flask import Blueprint
from flask_smorest import Blueprint as ApiBlueprint

import crm.accounts.models
import crm.api.models
import crm.campaigns.files.models
import crm.campaigns.inbox.models
import crm.campaigns.models
import crm.campaigns.numbers.models
import crm.campaigns.preflight.models
import crm.campaigns.restored.models
import crm.campaigns.results.routes
import crm.campaigns.templating.models
import crm.decrees.conditions
import crm.decrees.models
import crm.emulation.models
import crm.followups.conditions
import crm.followups.mornings.models
import crm.joining.models
import crm.mail.models
import crm.outreach.bulk
import crm.outreach.merging
import crm.outreach.models
import crm.outreach.packages.models
import crm.outreach.syncing.models
import crm.participation.conditions
import crm.participation.elsewhere.models
import crm.participation.from_lists
import crm.participation.guard.conditions
import crm.participation.leaving.models
import crm.participation.listed.loading
import crm.participation.listed.models
import crm.participation.merging
import crm.participation.models
import crm.participation.owners
import crm.participation.referrals.models
import crm.participation.screening.models
import crm.participation.tally.models
import crm.places.models
import crm.premiums.models
import crm.prospects.households.models
import crm.prospects.importing.meanings.businesses
import crm.prospects.importing.meanings.poor_households
import crm.prospects.importing.models
import crm.prospects.lists.cards
import crm.prospects.lists.models
import crm.prospects.lists.papers
import crm.prospects.lists.services.stages
import crm.prospects.lists.services.tags
import crm.prospects.merging.cards
import crm.prospects.merging.models
import crm.prospects.models
import crm.prospects.tally.models
import crm.reminders.models
import crm.reorganisations.models
import crm.reports.documents.models
import crm.reports.duties.models
import crm.reports.events.models
import crm.reports.forecast.models
import crm.reports.rounds.models
import crm.sponsors.cliff.models
import crm.sponsors.conditions
import crm.sponsors.giving.models
import crm.sponsors.ledger.models
import crm.sponsors.letters.models
import crm.sponsors.matching.models
import crm.sponsors.merging
import crm.sponsors.models
import crm.sponsors.statements.models
import crm.stored
import crm.targets.models
import crm.targets.sharing.models  # noqa: F401
from crm.accounts import resources as account_resources
from crm.accounts import routes as account_routes
from crm.accounts.team import routes as team_routes
from crm.campaigns import resources as campaign_resources
from crm.campaigns.files import routes as message_file_routes
from crm.campaigns.inbox import routes as inbox_routes
from crm.campaigns.numbers import resources as number_resources
from crm.campaigns.numbers.routes import lists as refusal_list_routes
from crm.campaigns.numbers.routes import pages as number_routes
from crm.campaigns.preflight import resources as preflight_resources
from crm.campaigns.preflight import routes as preflight_routes
from crm.campaigns.restored import routes as restored_routes
from crm.campaigns.routes import acts as campaign_acts
from crm.campaigns.routes import outside as campaign_outside
from crm.campaigns.routes import pages as campaign_pages
from crm.campaigns.routes import wizard as campaign_wizard
from crm.campaigns.templating import resources as templating_resources
from crm.campaigns.templating import routes as templating_routes
from crm.campaigns.tracing import routes as tracing_routes
from crm.collecting import resources as collecting_resources
from crm.collecting import routes as collecting_routes
from crm.decrees import resources as decree_resources
from crm.decrees import routes as decree_routes
from crm.emulation import routes as emulation_routes
from crm.followups import routes as followup_routes
from crm.followups.keeping import routes as keeping_routes
from crm.followups.mornings import routes as morning_routes
from crm.followups.walking import routes as walking_routes
from crm.joining import resources as joining_resources
from crm.joining import routes as joining_routes
from crm.joining.lists import resources as dossier_list_resources
from crm.mail import routes as mail_routes
from crm.outreach import resources as outreach_resources
from crm.outreach import routes as outreach_routes
from crm.outreach.packages import resources as package_resources
from crm.outreach.packages import routes as package_routes
from crm.outreach.syncing import resources as sync_resources
from crm.participation import resources as participation_resources
from crm.participation import routes as participation_routes
from crm.participation.calculator import routes as own_calculator_routes
from crm.participation.elsewhere import resources as insurance_record_resources
from crm.participation.elsewhere import routes as elsewhere_routes
from crm.participation.leaving import routes as leaving_routes
from crm.participation.listed import routes as listed_routes
from crm.participation.missing import resources as missing_resources
from crm.participation.missing import routes as missing_routes
from crm.participation.referrals import resources as referral_resources
from crm.participation.referrals import routes as referral_routes
from crm.participation.screening import resources as screening_resources
from crm.participation.screening import routes as screening_routes
from crm.premiums import resources as premium_resources
from crm.premiums import routes as premium_routes
from crm.premiums.benefits import resources as benefit_resources
from crm.premiums.calculator import routes as calculator_routes
from crm.prospects import resources as prospect_resources
from crm.prospects.households import resources as household_resources
from crm.prospects.households.routes import certificates as household_certificates
from crm.prospects.households.routes import members, merging, page, review
from crm.prospects.importing import resources as import_resources
from crm.prospects.importing import routes as import_routes
from crm.prospects.lists import resources as list_resources
from crm.prospects.lists.routes import acts, columns, files, narrowing, saved, tags
from crm.prospects.merging import resources as merging_resources
from crm.prospects.merging import routes as merging_routes
from crm.prospects.routes import adding, correcting, listing, person
from crm.reminders import routes as reminder_routes
from crm.reorganisations import routes as reorganisation_routes
from crm.reports import resources as report_resources
from crm.reports import routes as report_routes
from crm.reports.amendments import resources as amendment_resources
from crm.reports.amendments import routes as amendment_routes
from crm.reports.documents import resources as document_resources
from crm.reports.documents import routes as document_routes
from crm.reports.duties import resources as duty_resources
from crm.reports.duties import routes as duty_routes
from crm.reports.events import resources as event_resources
from crm.reports.events import routes as event_routes
from crm.reports.forecast import resources as forecast_resources
from crm.reports.forecast import routes as forecast_routes
from crm.reports.money import routes as money_report_routes
from crm.reports.pipeline import routes as pipeline_routes
from crm.reports.rounds import resources as round_resources
from crm.reports.rounds import routes as round_routes
from crm.reports.ward_map import routes as ward_map_routes
from crm.reports.weekly import routes as weekly_routes
from crm.sponsors import resources as sponsor_resources
from crm.sponsors import routes as sponsor_routes
from crm.sponsors.cliff import routes as cliff_routes
from crm.sponsors.duplicates import routes as same_sponsor_routes
from crm.sponsors.giving import routes as giving_routes
from crm.sponsors.ledger import resources as ledger_resources
from crm.sponsors.ledger import routes as ledger_routes
from crm.sponsors.letters import resources as paper_resources
from crm.sponsors.letters.routes import everybody as letter_everybody
from crm.sponsors.letters.routes import office as letter_office
from crm.sponsors.letters.routes import private as letter_private
from crm.sponsors.letters.routes import promises as letter_promises
from crm.sponsors.letters.routes import wish as letter_wish
from crm.sponsors.matching import resources as matching_resources
from crm.sponsors.matching import routes as matching_routes
from crm.sponsors.statements import resources as statement_resources
from crm.sponsors.statements import routes as statement_routes
from crm.sponsors.treasury import routes as treasury_routes
from crm.sponsors.unneeded import routes as unneeded_routes
from crm.targets import resources as target_resources
from crm.targets import routes as target_routes
from crm.targets.sharing import routes as sharing_routes
from crm.timekeeping import routes as timekeeping_routes

BLUEPRINTS: tuple[Blueprint, ...] = (
    import_routes.bp,
    merging_routes.bp,
    account_routes.bp,
    team_routes.bp,
    *{part.bp for part in (acts, columns, files, narrowing, saved, tags)},
    premium_routes.bp,
    calculator_routes.bp,
    *{part.bp for part in (adding, correcting, listing, person)},
    *{part.bp for part in (household_certificates, members, merging, page, review)},
    campaign_pages.bp,
    campaign_wizard.bp,
    preflight_routes.bp,
    templating_routes.bp,
    campaign_acts.bp,
    message_file_routes.bp,
    campaign_outside.webhooks,
    campaign_outside.refusing,
    inbox_routes.bp,
    tracing_routes.bp,
    restored_routes.bp,
    number_routes.bp,
    refusal_list_routes.bp,
    outreach_routes.bp,
    package_routes.bp,
    participation_routes.bp,
    listed_routes.bp,
    own_calculator_routes.bp,
    elsewhere_routes.bp,
    missing_routes.bp,
    leaving_routes.bp,
    screening_routes.bp,
    referral_routes.bp,
    joining_routes.bp,
    collecting_routes.bp,
    followup_routes.bp,
    reminder_routes.bp,
    keeping_routes.bp,
    morning_routes.bp,
    walking_routes.bp,
    target_routes.bp,
    sharing_routes.bp,
    emulation_routes.bp,
    weekly_routes.bp,
    giving_routes.bp,
    cliff_routes.bp,
    same_sponsor_routes.bp,
    treasury_routes.bp,
    unneeded_routes.bp,
    sponsor_routes.bp,
    ledger_routes.bp,
    matching_routes.bp,
    mail_routes.bp,
    letter_private.bp,
    letter_promises.bp,
    letter_wish.bp,
    letter_office.bp,
    letter_everybody.bp,
    statement_routes.bp,
    report_routes.bp,
    forecast_routes.bp,
    pipeline_routes.bp,
    ward_map_routes.bp,
    money_report_routes.bp,
    document_routes.bp,
    round_routes.bp,
    duty_routes.bp,
    event_routes.bp,
    amendment_routes.bp,
    reorganisation_routes.bp,
    decree_routes.bp,
    timekeeping_routes.bp,
)
RESOURCES: tuple[ApiBlueprint, ...] = (
    import_resources.blp,
    account_resources.blp,
    premium_resources.blp,
    benefit_resources.blp,
    prospect_resources.blp,
    merging_resources.blp,
    list_resources.blp,
    household_resources.blp,
    outreach_resources.blp,
    sync_resources.blp,
    package_resources.blp,
    joining_resources.blp,
    dossier_list_resources.blp,
    collecting_resources.blp,
    campaign_resources.blp,
    number_resources.blp,
    preflight_resources.blp,
    templating_resources.blp,
    target_resources.blp,
    participation_resources.blp,
    insurance_record_resources.blp,
    missing_resources.blp,
    screening_resources.blp,
    referral_resources.blp,
    decree_resources.blp,
    sponsor_resources.blp,
    ledger_resources.blp,
    matching_resources.blp,
    statement_resources.blp,
    paper_resources.blp,
    report_resources.blp,
    document_resources.blp,
    round_resources.blp,
    duty_resources.blp,
    event_resources.blp,
    amendment_resources.blp,
    forecast_resources.blp,
)
