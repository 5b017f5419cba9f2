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

    @property
    def _signer(self) -> URLSafeSerializer:
        return URLSafeSerializer(self.secret_key, salt="page of payment")
