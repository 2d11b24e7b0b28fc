"""Prepare and send a campaign's messages with SmsGateWay24: one or many per request, each with an id."""

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
    """Message with its values as the vendor wants them."""

    number: str
    text: str | None
    device_id: str
    sim: SimSlot
    schedule_at: str | None
    customer_id: str | None
    urgent: bool
    image: bytes | None


class SmsGateway24Batch(SmsGateway24Reconcile):
    """Part of `SmsGateway24Client` that `BatchSender` calls to prepare and send messages."""

    text_rule = rules.TEXT_RULE
    """Rule for texts: no limit and no change, as the phone sends a text as it is."""

    _device_id: str | None
    _sim: SimSlot
    _bulk: BulkMode

    @property
    def max_recipients(self) -> int:
        """Most messages in one request of a campaign: 1 with ``bulk="single"``."""
        return 1 if self._bulk == "single" else self._max_recipients

    def prepare(self, message: Message) -> Prepared:
        """Check a message for `BatchSender`; see `BatchClient.prepare`.

        Placeholders are filled in here. All messages can share a request, as a bulk request has a text, a phone and a
        time for each message. A message's ``reference`` is not sent, since the vendor takes numbers only.
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
                raise rules.invalid("options", 'a bulk request takes no images; make the client with bulk="single"')
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

        Each message is sent with a ``customerid``: the one of its `SmsGateway24Options`, or `derived_customer_id`. An
        outcome of ``addsms`` has the ``sms_id`` as its ``vendor_id``. The answer to ``addalotofsms`` has no ids, so
        its outcomes, and all UNKNOWN ones, have ``"customerid:"`` and the ``customerid`` instead, which `resolve`
        takes.

        It is an assumption that ``error`` 0 from ``addalotofsms`` accepts each of the messages.
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
            # All further requests will be redirected too, so the sender has to see this error.
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
    assert ready.text is not None  # `prepare` refuses images in bulk
    return SmsItem(
        number=ready.number,
        text=ready.text,
        sim=int(ready.sim),
        schedule_at=ready.schedule_at,
        device_id=ready.device_id,
        customer_id=ready.customer_id,
        urgent=ready.urgent,
    )
