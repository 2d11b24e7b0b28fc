"""SmsGateWay24 in a batch: one message in a request or many, and how each can be found again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from attrs import evolve

from mensasdk.errors import MensaError, OutcomeKind, UnexpectedRedirect
from mensasdk.messages import Message, Outcome
from mensasdk.placeholders import fill
from mensasdk.transport import Gate
from mensasdk.vendors.batching import BatchResult, Prepared, code_of, options_of
from mensasdk.vendors.smsgateway24 import rules
from mensasdk.vendors.smsgateway24.codes import SimSlot
from mensasdk.vendors.smsgateway24.dates import schedule_time
from mensasdk.vendors.smsgateway24.models import SmsGateway24Options
from mensasdk.vendors.smsgateway24.reconcile import BY_CUSTOMER_ID, SmsGateway24Reconcile, derived_customer_id
from mensasdk.vendors.smsgateway24.requests import AddALotOfSms, AddSms, SmsItem

__all__ = ["BulkMode", "SmsGateway24Batch"]

BulkMode = Literal["auto", "single", "many"]

_NO_OPTIONS: Final = SmsGateway24Options()


class _Ready(NamedTuple):
    """A message in the vendor's terms."""

    number: str
    text: str | None
    device_id: str
    sim: SimSlot
    schedule_at: str | None
    customer_id: str | None
    urgent: bool
    image: bytes | None


class SmsGateway24Batch(SmsGateway24Reconcile):
    """The part of `SmsGateway24Client` that `BatchSender` talks to."""

    text_rule = rules.TEXT_RULE
    """What becomes of a text that goes out as an SMS: nothing, the phone sends it as it is."""

    _device_id: str | None
    _sim: SimSlot
    _bulk: BulkMode

    @property
    def max_recipients(self) -> int:
        """The most messages that one request of a batch carries: 1 with ``bulk="single"``."""
        return 1 if self._bulk == "single" else self._max_recipients

    def prepare(self, message: Message) -> Prepared:
        """Check a message for `BatchSender`; see `BatchClient.prepare`.

        Placeholders are filled in here. All messages can share a request, whatever their texts, phones and times: in
        bulk each brings its own. A message's ``reference`` stays here, since the vendor takes numbers only.
        """
        options = options_of(message, _NO_OPTIONS, vendor=self.vendor)
        if message.template is not None:
            raise rules.invalid("template", "SmsGateWay24 sends no templates; put the text into text")
        if message.sender is not None:
            raise rules.invalid(
                "sender",
                "recipients see the number of the phone's own SIM card; leave sender out, and choose a phone or a "
                "Sender ID with SmsGateway24Options(device_id=...)",
            )
        number = rules.number(message.to, self.default_country, field="to")
        sim = self._sim if options.sim is None else rules.slot(options.sim)
        text: str | None = fill(message.text, message.variables)
        if options.image is not None:
            if self._bulk != "single":
                raise rules.invalid("options", 'images go one by one; make the client with bulk="single"')
            rules.check_image(options.image, text or "", sim)
            text = None
        else:
            rules.check_text(text)
        ready = _Ready(
            number,
            text,
            rules.device(self._device_id if options.device_id is None else options.device_id),
            sim,
            None if message.schedule_at is None else schedule_time(message.schedule_at),
            rules.customer_id(options.customer_id),
            options.urgent,
            options.image,
        )
        parts = self.text_rule.parts(text) if text is not None and sim.is_sms else 1
        return Prepared(message, number, "sms", ready, parts)

    async def send_batch(
        self,
        batch: Sequence[Prepared],
        *,
        reference: str,
        gate: Gate | None,
        group: str | None = None,
        deadline: float | None = None,
    ) -> BatchResult:
        """Send messages in one request; see `BatchClient.send_batch`.

        Each message carries a ``customerid``: its own from `SmsGateway24Options`, or `derived_customer_id`. Outcomes
        of ``addsms`` have the ``sms_id`` for their ``vendor_id``. Those of ``addalotofsms``, whose answer has no ids,
        and those that are UNKNOWN have ``"customerid:"`` and that number, which `resolve` takes.

        That ``error`` 0 from ``addalotofsms`` means all of its messages is an assumption: it says nothing of each.
        """
        sent = [
            item.payload._replace(customer_id=item.payload.customer_id or str(derived_customer_id(reference, index)))
            for index, item in enumerate(batch)
        ]
        failure: MensaError
        try:
            if len(batch) == 1 and self._bulk != "many":
                result = await self.execute(_one(sent[0]), gate=gate, deadline=deadline)
                return BatchResult([self._outcome(batch[0], OutcomeKind.ACCEPTED, result.sms_id)])
            await self.execute(AddALotOfSms(items=[_item(ready) for ready in sent]), gate=gate, deadline=deadline)
            return BatchResult(
                [
                    self._outcome(item, OutcomeKind.ACCEPTED, f"{BY_CUSTOMER_ID}{ready.customer_id}")
                    for item, ready in zip(batch, sent, strict=True)
                ]
            )
        except MensaError as error:
            # A redirect holds for every further request as well, so it is the sender's to know.
            if error.outcome is not OutcomeKind.UNKNOWN or isinstance(error, UnexpectedRedirect):
                raise
            failure = error
        return BatchResult(
            [
                evolve(
                    self._outcome(item, OutcomeKind.UNKNOWN, f"{BY_CUSTOMER_ID}{ready.customer_id}"),
                    code=code_of(failure),
                    detail=failure.message,
                )
                for item, ready in zip(batch, sent, strict=True)
            ]
        )

    def _outcome(self, item: Prepared, kind: OutcomeKind, vendor_id: str) -> Outcome:
        return Outcome(kind, item.message, vendor=self.vendor, vendor_id=vendor_id, parts=item.parts)


def _one(ready: _Ready) -> AddSms:
    return AddSms(
        number=ready.number,
        text=ready.text,
        device_id=ready.device_id,
        sim=int(ready.sim),
        schedule_at=ready.schedule_at,
        customer_id=ready.customer_id,
        urgent=ready.urgent,
        image=ready.image,
    )


def _item(ready: _Ready) -> SmsItem:
    assert ready.text is not None  # `prepare` takes images for single sends only
    return SmsItem(
        number=ready.number,
        text=ready.text,
        sim=int(ready.sim),
        schedule_at=ready.schedule_at,
        device_id=ready.device_id,
        customer_id=ready.customer_id,
        urgent=ready.urgent,
    )
