"""Find the outcomes of unknown messages at EnvíaTuSMS, which only tells the numbers of a campaign."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from mensasdk.codes import Code
from mensasdk.errors import NotFound, ValidationError
from mensasdk.messages import Outcome
from mensasdk.transport import Gate
from mensasdk.vendors.batching import Doubt
from mensasdk.vendors.doubts import accepted, settle
from mensasdk.vendors.enviatusms.models import Campaign, CampaignNumber
from mensasdk.vendors.enviatusms.wire import EnviaTuSmsWire

__all__ = ["EnviaTuSmsReconcile"]


class EnviaTuSmsReconcile(EnviaTuSmsWire):
    """Part of `EnviaTuSmsClient` that finds the outcomes of unknown messages."""

    @abstractmethod
    async def get_campaign(self, campaign_id: str | int) -> Campaign:
        """Return the status of a campaign; see `EnviaTuSmsClient.get_campaign`."""

    async def reconcile(
        self, doubts: Sequence[Doubt], *, reference: str, gate: Gate, repeat: bool
    ) -> Sequence[Outcome | None]:
        """Find the outcomes of unknown messages of one request; see `BatchClient.reconcile`. Nothing is ever sent.

        The vendor takes no reference and cannot be asked for a number, so the campaign's id has to be known: from the
        answer, or because another message of the same request is in the campaign. Each campaign is asked for once.

        Args:
            doubts: unknown messages of one request.
            reference: not used; the vendor has never seen it.
            gate: not used; nothing is sent.
            repeat: not used; the vendor would make another campaign of a repetition.

        Returns:
            ACCEPTED with the code ``"callback"`` where a delivery report is known, and ``"campaign"`` where the
            campaign lists the number, whatever its status there. Else None: a request may have been made in several
            parts, each with a campaign of its own, and a campaign may lag behind.

        Raises:
            MensaError: a campaign could not be fetched, and no outcome was found. An id without a campaign is no error.
        """
        campaigns: dict[str, dict[str, CampaignNumber]] = {}
        return await settle(doubts, lambda doubt: self._by_campaign(doubt, campaigns), vendor=self.vendor)

    async def _by_campaign(self, doubt: Doubt, campaigns: dict[str, dict[str, CampaignNumber]]) -> Outcome | None:
        for campaign_id in dict.fromkeys(filter(None, (doubt.vendor_id, doubt.request_id))):
            if campaign_id not in campaigns:
                campaigns[campaign_id] = await self._lines(campaign_id)
            line = campaigns[campaign_id].get(doubt.item.number)
            if line is not None:
                detail = f"campaign {campaign_id} lists its number: {line.status.meaning}"
                return accepted(doubt, vendor=self.vendor, vendor_id=campaign_id, code=Code.CAMPAIGN, detail=detail)
        return None

    async def _lines(self, campaign_id: str) -> dict[str, CampaignNumber]:
        try:
            campaign = await self.get_campaign(campaign_id)
        except (NotFound, ValidationError):  # there is no such campaign, or the id is none
            return {}
        return {line.number: line for line in campaign.numbers}
