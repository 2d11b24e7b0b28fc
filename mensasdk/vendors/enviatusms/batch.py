"""Send and quote batches at EnvíaTuSMS: prepare messages, and read an outcome for each from the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping, Sequence
from contextlib import aclosing
from decimal import Decimal
from typing import Final

from attrs import evolve, frozen

from mensasdk.arguments import not_this
from mensasdk.codes import Code
from mensasdk.errors import InvalidRequest, MensaError, ValidationError
from mensasdk.messages import Message, Outcome, OutcomeKind
from mensasdk.placeholders import fill
from mensasdk.preflight.prices import SUMS
from mensasdk.transport import NOT_GIVEN, Gate, NotGiven
from mensasdk.vendors.base import out_of_time
from mensasdk.vendors.batching import BatchResult, Prepared, options_of
from mensasdk.vendors.enviatusms import rules
from mensasdk.vendors.enviatusms.models import EnviaTuSmsOptions, Quote, SendResult
from mensasdk.vendors.enviatusms.reconcile import EnviaTuSmsReconcile
from mensasdk.vendors.enviatusms.requests import GetCampaign, QuoteSms, SendSms
from mensasdk.vendors.halving import send_in_halves

__all__ = ["EnviaTuSmsBatch", "QuoteTotal"]

_NO_OPTIONS: Final = EnviaTuSmsOptions()
# How many requests of a quote are kept open at a time, since a number that comes several times needs several requests.
_MAX_OPEN: Final = 8


@frozen(kw_only=True)
class QuoteTotal:
    """Price of a list of messages, as EnvíaTuSMS itself quotes it.

    Attributes:
        price: US dollars for all messages.
        valid_numbers: count of messages to numbers that the vendor serves.
        invalid_numbers: count of messages to numbers that it does not serve; not in the price.
        messages: count of SMS that would be sent; the vendor charges for these.
        refused: count of messages that break a rule; they would not be sent, and the vendor was not asked about them.
        requests: count of requests for this quote.
    """

    price: Decimal = Decimal(0)
    valid_numbers: int = 0
    invalid_numbers: int = 0
    messages: int = 0
    refused: int = 0
    requests: int = 0

    def _with(self, quote: Quote) -> QuoteTotal:
        return QuoteTotal(
            price=SUMS.add(self.price, quote.price),
            valid_numbers=self.valid_numbers + quote.valid_numbers,
            invalid_numbers=self.invalid_numbers + quote.invalid_numbers,
            messages=self.messages + quote.messages,
            refused=self.refused,
            requests=self.requests + 1,
        )


class EnviaTuSmsBatch(EnviaTuSmsReconcile):
    """Part of `EnviaTuSmsClient` that `BatchSender` uses."""

    _campaign_waits: tuple[float, ...]

    text_rule = rules.TEXT_RULE
    """Changes that the vendor makes to a text: it drops all accents but those of é and É. Limit: 160 characters."""

    def prepare(self, message: Message) -> Prepared:
        """Check a message and convert it to the vendor's terms; see `BatchClient.prepare`.

        All messages with equal options may share a request, because the vendor takes a text for each number. A
        message's ``reference`` is not sent, because the vendor takes none.
        """
        options = options_of(message, _NO_OPTIONS, vendor=self.vendor)
        if message.template is not None:
            raise rules.invalid("template", "EnvíaTuSMS has no templates; put the text itself into text")
        if message.sender:
            raise rules.invalid("sender", "EnvíaTuSMS takes no sender, because its operators set it; leave it out")
        if message.schedule_at is not None:
            raise rules.invalid(
                "schedule_at",
                "EnvíaTuSMS's API sends at once and cannot schedule; leave it out and start the campaign at that "
                "time, or use another vendor",
            )
        number = rules.number(message.to, self.default_country, field="to")
        text = fill(message.text, message.variables)
        parts = self.text_rule.parts(text)
        return Prepared(message, number.e164, options, rules.composed(text), parts)

    async def send_batch(
        self,
        batch: Sequence[Prepared],
        *,
        reference: str,
        gate: Gate | None,
        group: str | None = None,
        deadline: float | None = None,
    ) -> BatchResult:
        """Send messages in one request; see `BatchClient.send_batch`. The answer tells no cost.

        Numbers that the vendor ignored are REJECTED, the others are ACCEPTED with the campaign's id. Where the vendor
        says that it ignored a number that was not sent, the campaign's list of numbers decides; where that cannot
        decide, messages are UNKNOWN.

        The vendor refuses a whole request for one text in it, and then makes no campaign. Where the texts differ, the
        request is made again in halves, so that the good texts are sent; see `send_in_halves`. A bad number is no
        reason for halves: the vendor ignores it alone.

        Args:
            batch: messages with equal options and different numbers.
            reference: not used; the vendor takes none.
            gate: a rate limiter, passed before each attempt; None for no limiter.
            group: not used; the vendor has no groups.
            deadline: end of all requests of this call, on the loop's clock; None to give each `Timeouts.total`.
        """
        differ = any(item.payload != batch[0].payload for item in batch)
        return await send_in_halves(
            batch,
            lambda part: self._send_part(part, gate, deadline),
            vendor=self.vendor,
            divides=lambda error: differ and isinstance(error, InvalidRequest),
        )

    async def _send_part(self, batch: Sequence[Prepared], gate: Gate | None, deadline: float | None) -> BatchResult:
        options = batch[0].batch_key
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
            deadline=deadline,
        )
        return BatchResult(await self._outcomes(batch, result, deadline))

    async def quote_messages(
        self, messages: Iterable[Message] | AsyncIterable[Message], *, timeout: float | NotGiven = NOT_GIVEN
    ) -> QuoteTotal:
        """Ask the vendor for the price of a list of any length, as `BatchSender` would send it. Nothing is sent.

        There is one ``POST /sms-costo`` for each `max_recipients` messages, one after another. These requests only
        read, so they are repeated when the network fails.

        Args:
            messages: as for `BatchSender.send`; the list is read as the requests are made.
            timeout: seconds for all requests; where it is not given, each request has `Timeouts.total`.

        Raises:
            ValidationError: ``messages`` is no list of `Message` values.
            MensaError: the vendor refused a quote, or the network failed; there is no total then.
        """
        deadline = None if timeout is NOT_GIVEN else self._deadline(timeout)
        total = QuoteTotal()
        refused = 0
        # A number stands only once in a request, as in sending: the vendor would count a repeated number only once.
        waiting: list[dict[str, Prepared]] = []
        async with aclosing(_each(messages)) as source:
            async for message in source:
                try:
                    item = self.prepare(message)
                except ValidationError:
                    refused += 1
                    continue
                request = next((one for one in waiting if item.number not in one), None)
                if request is None:
                    waiting.append(request := {})
                request[item.number] = item
                if len(request) >= self.max_recipients or len(waiting) > _MAX_OPEN:
                    full = max(waiting, key=len)
                    waiting.remove(full)
                    total = total._with(await self._quote(full, deadline))
        for rest in waiting:
            total = total._with(await self._quote(rest, deadline))
        return evolve(total, refused=refused)

    async def _quote(self, request: Mapping[str, Prepared], deadline: float | None) -> Quote:
        texts = [item.payload for item in request.values()]
        return await self.execute(
            QuoteSms(
                numbers=[number[1:] for number in request],
                text=texts[0] if len(set(texts)) == 1 else texts,
            ),
            deadline=deadline,
        )

    async def _outcomes(
        self, batch: Sequence[Prepared], result: SendResult, deadline: float | None
    ) -> Sequence[Outcome]:
        accepted = frozenset(result.accepted)
        unknown = frozenset(result.unknown)
        if unknown:
            listed = await self._listed(result, deadline)
            if listed is not None:
                accepted, unknown = listed, frozenset()
        outcomes: list[Outcome] = []
        for item in batch:
            if item.number in accepted:
                outcomes.append(
                    Outcome(
                        OutcomeKind.ACCEPTED,
                        item.message,
                        vendor=self.vendor,
                        vendor_id=result.campaign_id,
                        parts=item.parts,
                    )
                )
            elif item.number in unknown:
                outcomes.append(self._unknown(item, result))
            else:
                outcomes.append(self._ignored(item))
        return outcomes

    async def _listed(self, result: SendResult, deadline: float | None) -> frozenset[str] | None:
        """Return the unknown numbers that the campaign lists; None if they and the ignored ones do not make up all."""
        assert result.campaign_id is not None  # an answer with unknown numbers has one
        unknown = frozenset(result.unknown)
        missing = len({rules.canonical(one) or one for one in result.unmatched})
        for wait in self._campaign_waits:
            if out_of_time(deadline, wait):
                break
            await asyncio.sleep(wait)
            try:
                campaign = await self.execute(GetCampaign(campaign_id=result.campaign_id), deadline=deadline)
            except MensaError:
                continue
            listed = frozenset(one.number for one in campaign.numbers)
            if listed <= unknown and len(listed) + missing == len(unknown):
                return listed
        return None

    def _ignored(self, item: Prepared) -> Outcome:
        return Outcome(
            OutcomeKind.REJECTED,
            item.message,
            vendor=self.vendor,
            code=Code.IGNORED,
            detail="the vendor ignored it inside an accepted request: it is no mobile number that the vendor serves",
            parts=item.parts,
        )

    def _unknown(self, item: Prepared, result: SendResult) -> Outcome:
        return Outcome(
            OutcomeKind.UNKNOWN,
            item.message,
            vendor=self.vendor,
            vendor_id=result.campaign_id,
            code=Code.PARTIAL,
            detail=(
                f"the vendor says that it ignored numbers that were not sent ({len(result.unmatched)}), and its "
                "campaign does not tell which of the sent numbers they stand for"
            ),
            parts=item.parts,
        )


async def _each(messages: Iterable[Message] | AsyncIterable[Message]) -> AsyncGenerator[Message, None]:
    place = 0
    if isinstance(messages, AsyncIterable):
        async for message in messages:
            yield _checked(message, place)
            place += 1
        return
    given: object = messages
    if not isinstance(given, Iterable):
        raise rules.invalid(
            "messages", not_this("messages", 'messages, such as [Message("+584241234567", "Hola")]', given)
        )
    for place, message in enumerate(messages):
        yield _checked(message, place)


def _checked(message: object, place: int) -> Message:
    if not isinstance(message, Message):
        raise rules.invalid("messages", not_this(f"messages[{place}]", "a Message", message))
    return message
