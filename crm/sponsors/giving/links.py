"""Addresses that open something for whoever holds them. Pure: the secret and our public address are given."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from itsdangerous import BadSignature, URLSafeSerializer


@dataclass(frozen=True)
class Links:
    """Whole addresses for letters, and the signed name of a promise's page of payment."""

    public_url: str
    secret_key: str = field(repr=False)

    def confirming(self, token: str) -> str:
        """Where a registration is confirmed."""
        return f"{self.public_url}/sponsor/confirm/{token}"

    def own_page(self, token: str) -> str:
        """A sponsor's own page."""
        return f"{self.public_url}/s/{token}"

    def promise(self, pledge_id: UUID) -> str:
        """A promise, for the office."""
        return f"{self.public_url}/pledges/{pledge_id}"

    def paying(self, pledge_id: UUID) -> str:
        """Where a promise is paid."""
        return f"{self.public_url}/sponsor/pay/{self.pay_token(pledge_id)}"

    def pay_token(self, pledge_id: UUID) -> str:
        """The signed name of a promise: the same every time, so that every letter leads to the same page."""
        return str(self._signer.dumps(pledge_id.hex))

    def pledge_of(self, token: str) -> UUID | None:
        """The promise whose signed name this is; None when it is of nobody's."""
        try:
            return UUID(hex=self._signer.loads(token))
        except (BadSignature, ValueError, TypeError, AttributeError):
            return None

    def renewing(self, sponsor_id: UUID) -> str:
        """Where a sponsor goes on with the people whose help ends."""
        return f"{self.public_url}/sponsor/renew/{self.renew_token(sponsor_id)}"

    def renew_token(self, sponsor_id: UUID) -> str:
        """The signed name of a sponsor's page of renewal; it opens nothing else of theirs."""
        return str(self._renewals.dumps(sponsor_id.hex))

    def sponsor_of(self, token: str) -> UUID | None:
        """The sponsor whose page of renewal this names; None when it is nobody's."""
        try:
            return UUID(hex=self._renewals.loads(token))
        except (BadSignature, ValueError, TypeError, AttributeError):
            return None

    @property
    def _renewals(self) -> URLSafeSerializer:
        return URLSafeSerializer(self.secret_key, salt="page of renewal")

    @property
    def _signer(self) -> URLSafeSerializer:
        return URLSafeSerializer(self.secret_key, salt="page of payment")
