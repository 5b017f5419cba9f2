"""What pages show of a contribution and of a transfer: the figures in words, the account, the code and its QR."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from flask import current_app
from markupsafe import Markup
from sqlalchemy.orm import Session

from config import Settings
from crm.money import Vnd
from crm.phones import pretty
from crm.sponsors import gateway
from crm.sponsors.giving.links import Links
from crm.sponsors.models import Pledge
from crm.sponsors.queries import fund_account
from crm.sponsors.rules import BANKS, FundAccount


class Transfer(NamedTuple):
    """Everything a bank's app asks for. With `amount` None any amount may be transferred."""

    account: FundAccount
    bank: str
    code: str
    amount: Vnd | None
    qr: Markup
    token: str
    """The signed name of the promise's page of payment."""


def transfer_of(session: Session, pledge: Pledge, amount: Vnd | None) -> Transfer | None:
    """How to pay so much of a promise; None while no account is set."""
    account = fund_account(session)
    if account is None:
        return None
    bank = BANKS.get(account.bin, account.bin)
    drawn = gateway.drawing(_text(account, amount or None, pledge.code))
    return Transfer(account, bank, pledge.code, amount or None, drawn, pay_token(pledge.id))


def picture_of(transfer: Transfer) -> bytes:
    """The QR of a transfer as a PNG."""
    return gateway.picture(_text(transfer.account, transfer.amount, transfer.code))


def _text(account: FundAccount, amount: Vnd | None, code: str) -> str:
    return gateway.payload(account.bin, account.account, amount, code)


def settings() -> Settings:
    """What the environment says."""
    found: Settings = current_app.config["SETTINGS"]
    return found


def links() -> Links:
    """Addresses for letters, under our public address."""
    return Links(settings().public_url, settings().secret_key)


def masked(contact: str) -> str:
    """An e-mail or a number of which its owner knows which it is, and nobody else."""
    name, at, host = contact.rpartition("@")
    if at:
        return f"{name[:1]}•••{at}{host}"
    number = pretty(contact)
    return f"{number[:4]} ••• {number[-2:]}"


def pay_token(pledge_id: UUID) -> str:
    """The signed name of a promise's page of payment."""
    return links().pay_token(pledge_id)
