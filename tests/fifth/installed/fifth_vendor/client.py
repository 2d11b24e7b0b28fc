"""The client for the fifth vendor."""

from __future__ import annotations

from collections.abc import Sequence

from fifth_vendor.batch import FifthBatch
from fifth_vendor.models import Account, Taken
from fifth_vendor.requests import GetAccount, ListMessages
from mensasdk.transport import Hook, RetryPolicy, Timeouts, Transport

__all__ = ["FifthClient"]


class FifthClient(FifthBatch):
    """The fifth vendor's API: a key in a header, JSON bodies.

    Args:
        key: the account's key.
        default_country: ISO 3166 alpha-2 code of the country that national numbers belong to; None for none.
        base_url, transport, timeouts, retry, hooks: as in `VendorClient`.
    """

    _max_recipients = 20

    def __init__(
        self,
        key: str,
        *,
        default_country: str | None = "PT",
        base_url: str = "https://api.fifth.example/v1",
        transport: Transport | None = None,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        hooks: Sequence[Hook] = (),
    ) -> None:
        super().__init__(key=key, base_url=base_url, transport=transport, timeouts=timeouts, retry=retry, hooks=hooks)
        self.default_country = default_country

    async def get_account(self) -> Account:
        """Ask what is left, in euros."""
        return await self.execute(GetAccount())

    async def list_messages(self, reference: str) -> Taken:
        """Ask what came under the reference of a request; nothing for one that is not known."""
        return await self.execute(ListMessages(reference=reference))
