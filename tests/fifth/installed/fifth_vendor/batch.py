"""The fifth vendor in a batch: up to 20 messages in a request, and a line of its answer for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fifth_vendor.models import FifthOptions, Line
from fifth_vendor.reconcile import FifthReconcile
from fifth_vendor.requests import SendMessages
from mensasdk import phone
from mensasdk.errors import ValidationError
from mensasdk.messages import Message, Outcome, OutcomeKind
from mensasdk.placeholders import fill
from mensasdk.text import TextMode, TextRule
from mensasdk.transport import Gate
from mensasdk.vendors.batching import BatchResult, Prepared, options_of

__all__ = ["FifthBatch"]

_NO_OPTIONS: Final = FifthOptions()


class FifthBatch(FifthReconcile):
    """The part of `FifthClient` that `BatchSender` talks to."""

    text_rule = TextRule(vendor="fifth", name="Fifth", plain=TextMode(limit=300, limit_of="characters"))
    """What the vendor does to a text: nothing, and it takes 300 characters."""

    def prepare(self, message: Message) -> Prepared:
        """Check a message for `BatchSender`; see `BatchClient.prepare`. Messages of one label may share a request."""
        options = options_of(message, _NO_OPTIONS, vendor=self.vendor)
        for name in ("sender", "template", "schedule_at"):
            if getattr(message, name) is not None:
                raise ValidationError(f"Fifth has no {name}; leave it out", field=name, vendor=self.vendor)
        if len(options.label or "") > FifthOptions.LONGEST:
            words = f"label takes {FifthOptions.LONGEST} characters; shorten it"
            raise ValidationError(words, field="label", vendor=self.vendor)
        number = phone.e164(message.to, default_country=self.default_country, field="to")
        text = fill(message.text, message.variables)
        return Prepared(message, number, options, (options.label, text), self.text_rule.parts(text))

    async def send_batch(
        self,
        batch: Sequence[Prepared],
        *,
        reference: str,
        gate: Gate | None,
        group: str | None = None,
        deadline: float | None = None,
    ) -> BatchResult:
        """Send messages in one request; see `BatchClient.send_batch`."""
        label = batch[0].payload[0]
        messages = [{"to": item.number[1:], "text": item.payload[1]} for item in batch]
        call = SendMessages(messages=messages, reference=reference, label=label)
        taken = await self.execute(call, gate=gate, deadline=deadline)
        lines = {line.number: line for line in taken.lines}
        return BatchResult(
            [self._of(item, lines.get(item.number)) for item in batch], credits=taken.cost, balance=taken.left
        )

    def _of(self, item: Prepared, line: Line | None) -> Outcome:
        if line is None:
            detail = "the answer has no line for it"
            return Outcome(OutcomeKind.UNKNOWN, item.message, vendor=self.vendor, code="no_line", detail=detail)
        return self._outcome(item.message, line, item.parts, code=line.why or None, detail=line.why)
