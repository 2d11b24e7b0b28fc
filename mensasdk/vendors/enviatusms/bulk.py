"""EnvíaTuSMS in a batch: what one request may carry, and how its answer becomes an outcome for each recipient."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Sequence
from typing import Final

from mensasdk.errors import MensaError
from mensasdk.messages import Message, Outcome, OutcomeKind
from mensasdk.placeholders import fill
from mensasdk.text import segments
from mensasdk.transport import Gate
from mensasdk.vendors.base import BatchResult, Prepared, VendorClient
from mensasdk.vendors.enviatusms import rules
from mensasdk.vendors.enviatusms.models import Campaign, EnviaTuSmsOptions, SendResult, SendSms

__all__ = ["EnviaTuSmsBulk"]

# The campaign may lag behind the answer by a moment.
_CAMPAIGN_WAITS: Final = (0.0, 1.0, 3.0)
_NO_OPTIONS: Final = EnviaTuSmsOptions()


class EnviaTuSmsBulk(VendorClient):
    """The part of `EnviaTuSmsClient` that `BatchSender` talks to."""

    default_country: str | None
    _max_recipients: int

    @abstractmethod
    async def get_campaign(self, campaign_id: str | int) -> Campaign: ...

    @property
    def max_recipients(self) -> int:
        """The most messages that one request of a batch carries."""
        return self._max_recipients

    def prepare(self, message: Message) -> Prepared:
        """Check a message for `BatchSender`; see `BatchClient.prepare`.

        Any messages may share a request, unless their options differ: the vendor takes a text for each number. A
        message's ``reference`` stays here, because the vendor takes none.
        """
        options = message.options
        if options is None:
            options = _NO_OPTIONS
        elif not isinstance(options, EnviaTuSmsOptions):
            raise rules.invalid("options", f"options must be EnviaTuSmsOptions, not {type(options).__name__}")
        if message.template is not None:
            raise rules.invalid("template", "EnvíaTuSMS has no templates; put the text itself into text")
        if message.sender:
            raise rules.invalid("sender", "EnvíaTuSMS takes no sender, its operators set it; leave it out")
        if message.schedule_at is not None:
            raise rules.invalid(
                "schedule_at",
                "EnvíaTuSMS's API sends at once and cannot schedule; leave it out and start the campaign at that "
                "time, or use another vendor",
            )
        number = rules.number(message.to, self.default_country, field="to")
        text = rules.check_text(fill(message.text, message.variables), limit=rules.MAX_TEXT)
        return Prepared(message, number.e164, options, text, segments(rules.without_accents(text)).parts)

    async def send_batch(self, batch: Sequence[Prepared], *, reference: str, gate: Gate) -> BatchResult:
        """Send messages in one request; see `BatchClient.send_batch`. The answer tells no cost.

        Numbers that the vendor ignored are REJECTED, the rest is ACCEPTED with the campaign's id. Where the vendor
        ignored a number that is none of these, the campaign tells who is in it; what it cannot settle is UNKNOWN.
        """
        options = batch[0].key
        assert isinstance(options, EnviaTuSmsOptions)  # made by `prepare`
        texts = [item.payload for item in batch]
        result = await self.execute(
            SendSms(
                numbers=[item.number[1:] for item in batch],
                text=texts[0] if len(set(texts)) == 1 else texts,
                allow_duplicates=options.allow_duplicates,
                given=[item.number for item in batch],
            ),
            gate=gate,
        )
        return BatchResult(await self._outcomes(batch, result))

    async def _outcomes(self, batch: Sequence[Prepared], result: SendResult) -> Sequence[Outcome]:
        accepted = frozenset(result.accepted)
        doubtful = frozenset(result.in_doubt)
        if doubtful:
            listed = await self._listed(result)
            if listed is not None:
                accepted, doubtful = listed, frozenset()
        outcomes: list[Outcome] = []
        for item in batch:
            if item.number in accepted:
                outcomes.append(
                    Outcome(OutcomeKind.ACCEPTED, item.message, self.vendor, result.campaign_id, parts=item.parts)
                )
            elif item.number in doubtful:
                outcomes.append(self._doubtful(item, result))
            else:
                outcomes.append(self._ignored(item))
        return outcomes

    async def _listed(self, result: SendResult) -> frozenset[str] | None:
        """Who of those in doubt is in the campaign; None where it and the ignored numbers do not add up to all."""
        assert result.campaign_id is not None  # whoever is in doubt has one
        doubtful = frozenset(result.in_doubt)
        missing = len({rules.canonical(one) or one for one in result.unmatched})
        for wait in _CAMPAIGN_WAITS:
            await asyncio.sleep(wait)
            try:
                campaign = await self.get_campaign(result.campaign_id)
            except MensaError:
                continue
            listed = frozenset(one.number for one in campaign.numbers)
            if listed <= doubtful and len(listed) + missing == len(doubtful):
                return listed
        return None

    def _ignored(self, item: Prepared) -> Outcome:
        return Outcome(
            OutcomeKind.REJECTED,
            item.message,
            self.vendor,
            code="ignored",
            detail="the vendor ignored it inside an accepted request: no mobile number that it serves",
            parts=item.parts,
        )

    def _doubtful(self, item: Prepared, result: SendResult) -> Outcome:
        return Outcome(
            OutcomeKind.UNKNOWN,
            item.message,
            self.vendor,
            result.campaign_id,
            code="partial",
            detail=(
                f"the vendor ignored {len(result.unmatched)} numbers that were not sent, and its campaign does not "
                "tell whom it meant"
            ),
            parts=item.parts,
        )
