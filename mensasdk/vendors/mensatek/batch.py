"""Mensatek in a batch: what one request may carry, and how its answer becomes an outcome for each recipient."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Hashable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from mensasdk import phone
from mensasdk.errors import MensaError
from mensasdk.messages import Message, Outcome, OutcomeKind
from mensasdk.transport import Gate
from mensasdk.vendors.base import VendorClient
from mensasdk.vendors.batching import BatchResult, Prepared
from mensasdk.vendors.mensatek import rules
from mensasdk.vendors.mensatek.models import MensatekOptions, Report, SendResult, SendSms

__all__ = ["MensatekBulk", "Shared", "share_of", "shared_of", "took_all"]

# A report may lag behind the answer by a moment. The vendor counts quick repetitions as abuse: few and far between.
_REPORT_WAITS: Final = (0.0, 1.0, 3.0)
_NO_OPTIONS: Final = MensatekOptions()
_VARIABLES: Final = tuple(f"Variable_{index}" for index in range(1, rules.MAX_VARIABLES + 1))


class Shared(NamedTuple):
    """What all messages of one request have in common."""

    text: str
    variables: int
    sender: str
    schedule_at: str | None
    options: MensatekOptions


class MensatekBulk(VendorClient):
    """The part of `MensatekClient` that `BatchSender` talks to."""

    text_rule = rules.TEXT_RULE
    """What the vendor does to a text: without ``unicode``, what GSM 03.38 lacks is replaced."""

    default_country: str | None
    _max_recipients: int
    _group_sends: bool
    _checked: Shared | None = None

    @abstractmethod
    async def get_report(self, message_id: str | int) -> Report: ...

    @property
    def max_recipients(self) -> int:
        """The most messages that one request of a batch carries."""
        return self._max_recipients

    def prepare(self, message: Message) -> Prepared:
        """Check a message for `BatchSender`; see `BatchClient.prepare`.

        Placeholders become ``Variable_1`` and so on, so that one request carries all messages of one template. A
        message's ``reference`` stays here: the vendor takes one for a whole request.
        """
        options = message.options
        if options is None:
            options = _NO_OPTIONS
        elif not isinstance(options, MensatekOptions):
            raise rules.invalid("options", f"options must be MensatekOptions, not {type(options).__name__}")
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
        if key is None or shared != key:  # else as for nearly all of a campaign: checked once, one and the same object
            self._checked = key = _check_shared(Shared(*shared))
        return Prepared(message, number, key, values, parts)

    def group_key(self, item: Prepared) -> Hashable | None:
        """What the messages of one group (``Idmensaje``) share; see `BatchClient.group_key`.

        The sender, because the vendor forces the first one's on the whole group; and the time that they are scheduled
        for, because the vendor cancels and reschedules a group as a whole. None without ``group_sends``, and for a
        message that names a group of its own.
        """
        shared = shared_of(item)
        if not self._group_sends or shared.options.message_id is not None:
            return None
        return shared.sender, shared.schedule_at

    async def send_batch(
        self, batch: Sequence[Prepared], *, reference: str, gate: Gate, group: str | None = None
    ) -> BatchResult:
        """Send messages of one template in one request; see `BatchClient.send_batch`.

        Where the vendor says that it dropped some, its report of the message tells which; what the report cannot
        settle is UNKNOWN. The report of a group holds the recipients of all its requests, so a number of this request
        may be in it for an earlier one: where more are listed than the answer took, who is not listed is REJECTED, and
        the others are UNKNOWN.

        Args:
            batch: as for every client.
            reference: goes as ``Referenciausuario`` and comes back in delivery reports.
            gate: passed before each attempt.
            group: goes as ``Idmensaje``: the ``vendor_id`` of an earlier message of the same `group_key`. The vendor
                drops who has got a message in this group already.
        """
        call = self._call(batch, reference, group)
        result = await self.execute(call, gate=gate)
        self._check_group(call, result)
        outcomes = await self._outcomes(batch, result, grouped=call.message_id is not None)
        return BatchResult(outcomes, result.credits_used, result.credits_left)

    def _call(self, batch: Sequence[Prepared], reference: str, group: str | None) -> SendSms:
        shared = shared_of(batch[0])
        options = shared.options
        return SendSms(
            sender=shared.sender,
            recipients=[_recipient(item) for item in batch],
            text=shared.text,
            schedule_at=shared.schedule_at,
            reference=reference,
            report=options.report,
            message_id=options.message_id if group is None else rules.message_id(group),
            fail_to_voice=options.fail_to_voice,
            voice_language=options.voice_language,
            voice_sender=rules.voice_number(options.voice_sender),
            unicode=options.unicode,
            skip_blacklist=options.skip_blacklist,
            fix_utf8=options.fix_utf8,
        )

    def _check_group(self, call: SendSms, result: SendResult) -> None:
        if call.message_id is not None and result.message_id not in {None, call.message_id}:
            self._warn(call.function, "its id is not that of the group that was asked for")

    async def _outcomes(self, batch: Sequence[Prepared], result: SendResult, *, grouped: bool) -> Sequence[Outcome]:
        size, accepted = len(batch), result.accepted
        if took_all(batch, result):
            share = share_of(result.credits_used, size)
            vendor, vendor_id, accepted_kind = self.vendor, result.message_id, OutcomeKind.ACCEPTED
            return [
                Outcome(accepted_kind, item.message, vendor, vendor_id, None, "", item.parts, share) for item in batch
            ]
        if accepted == 0 and not result.messages and not result.credits_used:
            return [self._dropped(item) for item in batch]
        listed: frozenset[str] | None = None
        if result.message_id is not None:
            listed = await self._listed(result.message_id, batch, lambda count: count == accepted)
        if listed is None or len(listed) < accepted or (len(listed) > accepted and not grouped):
            detail = f"the vendor took {accepted} of {size} and its report does not tell which"
            return [self._doubtful(item, result, detail) for item in batch]
        if len(listed) > accepted:
            detail = (
                f"the vendor took {accepted} of {size}, and its group has {len(listed)} of these numbers: "
                "an earlier message of the group went to some of them"
            )
            return [
                self._doubtful(item, result, detail) if item.number[1:] in listed else self._dropped(item)
                for item in batch
            ]
        share = share_of(result.credits_used, len(listed))
        return [
            self._accepted(item, result, share) if item.number[1:] in listed else self._dropped(item) for item in batch
        ]

    async def _listed(
        self, message_id: str, batch: Sequence[Prepared], enough: Callable[[int], bool]
    ) -> frozenset[str] | None:
        """Which numbers of these messages the vendor's report of an id lists, as digits.

        Asked again until ``enough`` is content with how many there are, and else what was seen last. None where the
        report could not be read.
        """
        ours = frozenset(item.number[1:] for item in batch)
        listed: frozenset[str] | None = None
        for wait in _REPORT_WAITS:
            await asyncio.sleep(wait)
            try:
                listed = ours & await self._reported(message_id)
            except MensaError:
                continue
            if enough(len(listed)):
                break
        return listed

    async def _reported(self, message_id: str) -> frozenset[str]:
        """The numbers that the vendor's report of an id lists, as digits."""
        report = await self.get_report(message_id)
        return frozenset(line.number.lstrip("+0") for line in report.lines)

    def _accepted(self, item: Prepared, result: SendResult, share: Decimal | None) -> Outcome:
        return Outcome(
            OutcomeKind.ACCEPTED, item.message, self.vendor, result.message_id, parts=item.parts, credits=share
        )

    def _dropped(self, item: Prepared) -> Outcome:
        return Outcome(
            OutcomeKind.REJECTED,
            item.message,
            self.vendor,
            code="dropped",
            detail="the vendor dropped it inside an accepted request: a wrong, listed or repeated number",
            parts=item.parts,
        )

    def _doubtful(self, item: Prepared, result: SendResult, detail: str) -> Outcome:
        return Outcome(
            OutcomeKind.UNKNOWN,
            item.message,
            self.vendor,
            result.message_id,
            code="partial",
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


def shared_of(item: Prepared) -> Shared:
    """What a message has in common with the others of its request."""
    assert isinstance(item.key, Shared)  # made by `prepare`
    return item.key


def took_all(batch: Sequence[Prepared], result: SendResult) -> bool:
    """The vendor took each of these messages."""
    return result.accepted >= len(batch) and not result.not_sent


def _recipient(item: Prepared) -> dict[str, str]:
    result = {"Movil": item.number[1:]}
    for index, value in enumerate(item.payload):
        result[_VARIABLES[index]] = value
    return result


def share_of(total: Decimal | None, count: int) -> Decimal | None:
    """Credits for each of ``count`` messages, where they divide exactly to the sixth decimal."""
    if total is None or not count:
        return None
    share = total / count
    exact = share * count == total and share == round(share, 6)
    return share if exact else None
