"""Send batches at Mensatek: prepare messages, and read an outcome for each from the answer to their request."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from decimal import Decimal
from typing import Final

from mensasdk import phone
from mensasdk.codes import Code
from mensasdk.messages import Message, Outcome, OutcomeKind, make_outcome
from mensasdk.transport import Gate
from mensasdk.vendors.batching import BatchResult, Prepared, options_of
from mensasdk.vendors.mensatek import rules
from mensasdk.vendors.mensatek.models import MensatekOptions, SendResult
from mensasdk.vendors.mensatek.reconcile import MensatekReconcile
from mensasdk.vendors.mensatek.shared import Shared, request_of, share_of, shared_of, took_all

__all__ = ["MensatekBatch"]

_NO_OPTIONS: Final = MensatekOptions()


class MensatekBatch(MensatekReconcile):
    """Part of `MensatekClient` that `BatchSender` uses."""

    text_rule = rules.TEXT_RULE
    """Changes that the vendor makes to a text: without ``unicode``, it replaces characters outside GSM 03.38."""

    _group_sends: bool
    _checked: Shared | None = None

    def prepare(self, message: Message) -> Prepared:
        """Check a message and convert it to the vendor's terms; see `BatchClient.prepare`.

        Placeholders become ``Variable_1`` and so on, so that one request carries all messages of one template. A
        message's ``reference`` is left out: the vendor takes one reference for a whole request.
        """
        options = options_of(message, _NO_OPTIONS, vendor=self.vendor)
        if message.template is not None:
            raise rules.invalid(
                "template", "Mensatek sends no templates by name; put a text of list_templates() into text"
            )
        number = phone.e164(message.to, default_country=self.default_country)
        text, values, rendered = rules.personalise(message.text, message.variables)
        parts = self.text_rule.parts(rendered, unicode=options.unicode)
        schedule_at = None if message.schedule_at is None else rules.wall_clock(message.schedule_at)
        shared = text, len(values), message.sender or "", schedule_at, options
        key = self._checked
        # Nearly all messages of a campaign share these values, so they are checked once, and one object serves all.
        if key is None or shared != key:
            self._checked = key = _check_shared(Shared(*shared))
        return Prepared(message, number, key, values, parts)

    def group_key(self, item: Prepared) -> Hashable | None:
        """Return the sender and schedule, which a group (``Idmensaje``) shares; see `BatchClient.group_key`.

        The sender, because the vendor uses the first message's sender for the whole group. The schedule, because the
        vendor cancels and reschedules a group as a whole. None without ``group_sends``, and for a message that names a
        group of its own.
        """
        shared = shared_of(item)
        if not self._group_sends or shared.options.message_id is not None:
            return None
        return shared.sender, shared.schedule_at

    async def send_batch(
        self,
        batch: Sequence[Prepared],
        *,
        reference: str,
        gate: Gate | None,
        group: str | None = None,
        deadline: float | None = None,
    ) -> BatchResult:
        """Send messages of one template in one request; see `BatchClient.send_batch`.

        Where the vendor says that it dropped some messages, its report tells which; where the report cannot tell, they
        are UNKNOWN. The report of a group lists the recipients of all its requests, so it may list a number of this
        request because of an earlier one. So where the report lists more of the numbers than the vendor took, the
        messages that are not listed are REJECTED, and the others are UNKNOWN.

        Args:
            batch: messages of one template; see `BatchClient.send_batch`.
            reference: sent as ``Referenciausuario``; comes back in delivery reports.
            gate: a rate limiter, passed before each attempt; None for no limiter.
            group: sent as ``Idmensaje``: the ``vendor_id`` of an earlier message with the same `group_key`. The vendor
                drops a number that has got a message in this group already.
            deadline: end of this request and of the requests for its report, on the loop's clock; None to give each
                `Timeouts.total`.
        """
        call = request_of(batch, reference, group)
        result = await self.execute(call, gate=gate, deadline=deadline)
        self._check_group(call, result)
        outcomes = await self._outcomes(batch, result, deadline, grouped=call.message_id is not None)
        return BatchResult(outcomes, credits=result.credits_used, balance=result.credits_left)

    async def _outcomes(
        self, batch: Sequence[Prepared], result: SendResult, deadline: float | None, *, grouped: bool
    ) -> Sequence[Outcome]:
        size, accepted = len(batch), result.accepted
        if took_all(batch, result):
            share = share_of(result.credits_used, batch)
            vendor, vendor_id, accepted_kind = self.vendor, result.message_id, OutcomeKind.ACCEPTED
            return [
                make_outcome(accepted_kind, item.message, vendor, vendor_id, None, "", item.parts, share)
                for item in batch
            ]
        if accepted == 0 and not result.messages and not result.credits_used:
            return [self._dropped(item) for item in batch]
        listed: frozenset[str] | None = None
        if result.message_id is not None:
            listed = await self._listed(result.message_id, batch, lambda count: count == accepted, deadline)
        if listed is None or len(listed) < accepted or (len(listed) > accepted and not grouped):
            detail = f"the vendor took {accepted} of {size} messages, and its report does not tell which"
            return [self._unknown(item, result, detail) for item in batch]
        if len(listed) > accepted:
            detail = (
                f"the vendor took {accepted} of {size} messages, and the report of their group lists {len(listed)} of "
                "the numbers: an earlier message of the group went to some of these"
            )
            return [
                self._unknown(item, result, detail) if item.number[1:] in listed else self._dropped(item)
                for item in batch
            ]
        share = share_of(result.credits_used, [item for item in batch if item.number[1:] in listed])
        return [
            self._accepted(item, result, share) if item.number[1:] in listed else self._dropped(item) for item in batch
        ]

    def _accepted(self, item: Prepared, result: SendResult, share: Decimal | None) -> Outcome:
        return Outcome(
            OutcomeKind.ACCEPTED,
            item.message,
            vendor=self.vendor,
            vendor_id=result.message_id,
            parts=item.parts,
            credits=share,
        )

    def _unknown(self, item: Prepared, result: SendResult, detail: str) -> Outcome:
        return Outcome(
            OutcomeKind.UNKNOWN,
            item.message,
            vendor=self.vendor,
            vendor_id=result.message_id,
            code=Code.PARTIAL,
            detail=detail,
            parts=item.parts,
        )


def _check_shared(shared: Shared) -> Shared:
    options = shared.options
    rules.check_sender(shared.sender)
    rules.check_voice(options.fail_to_voice, options.voice_language, options.voice_sender)
    rules.voice_number(options.voice_sender)
    if options.message_id is not None:
        rules.message_id(options.message_id)
    return shared
