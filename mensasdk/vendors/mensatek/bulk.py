"""Mensatek in a batch: what one request may carry, and how its answer becomes an outcome for each recipient."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from mensasdk import phone
from mensasdk.errors import MensaError
from mensasdk.messages import Message, Outcome, OutcomeKind
from mensasdk.text import segments, to_gsm
from mensasdk.transport import Gate
from mensasdk.vendors.base import BatchResult, Prepared, VendorClient
from mensasdk.vendors.mensatek import rules
from mensasdk.vendors.mensatek.models import MensatekOptions, Report, SendResult, SendSms

__all__ = ["MensatekBulk"]

# A report may lag behind the answer by a moment. The vendor counts quick repetitions as abuse: few and far between.
_REPORT_WAITS: Final = (0.0, 1.0, 3.0)
_NO_OPTIONS: Final = MensatekOptions()


class _Shared(NamedTuple):
    """What all messages of one request have in common."""

    text: str
    variables: int
    sender: str
    schedule_at: str | None
    options: MensatekOptions


class MensatekBulk(VendorClient):
    """The part of `MensatekClient` that `BatchSender` talks to."""

    default_country: str | None
    _max_recipients: int
    _checked: _Shared | None = None

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
        number = phone.parse(message.to, default_country=self.default_country)
        text, values, rendered = rules.personalise(message)
        rules.check_text(rendered)
        schedule_at = None if message.schedule_at is None else rules.wall_clock(message.schedule_at)
        sender = message.sender or ""
        key = _Shared(text, len(values), sender, schedule_at, options)
        if key != self._checked:  # equal for all messages of a campaign, so checked once
            rules.check_sender(sender)
            rules.check_voice(options.fail_to_voice, options.voice_language, options.voice_sender)
            rules.voice_number(options.voice_sender)
            if options.message_id is not None:
                rules.message_id(options.message_id)
            self._checked = key
        return Prepared(message, number.e164, key, values, _parts(rendered, options.unicode))

    async def send_batch(self, batch: Sequence[Prepared], *, reference: str, gate: Gate) -> BatchResult:
        """Send messages of one template in one request; see `BatchClient.send_batch`.

        Where the vendor says that it dropped some, its report of the message tells which; what the report cannot
        settle is UNKNOWN.
        """
        shared = batch[0].key
        assert isinstance(shared, _Shared)  # made by `prepare`
        options = shared.options
        result = await self.execute(
            SendSms(
                sender=shared.sender,
                recipients=[_recipient(item) for item in batch],
                text=shared.text,
                schedule_at=shared.schedule_at,
                reference=reference,
                report=options.report,
                message_id=options.message_id,
                fail_to_voice=options.fail_to_voice,
                voice_language=options.voice_language,
                voice_sender=rules.voice_number(options.voice_sender),
                unicode=options.unicode,
                skip_blacklist=options.skip_blacklist,
                fix_utf8=options.fix_utf8,
            ),
            gate=gate,
        )
        return BatchResult(await self._outcomes(batch, result), result.credits_used, result.credits_left)

    async def _outcomes(self, batch: Sequence[Prepared], result: SendResult) -> Sequence[Outcome]:
        size = len(batch)
        dropped = result.not_sent or 0
        share = _share(result.credits_used, size)
        if result.accepted >= size and not dropped:
            return [self._accepted(item, result, share) for item in batch]
        if result.accepted == 0 and not result.messages and not result.credits_used:
            return [self._dropped(item) for item in batch]
        listed = await self._listed(result)
        if listed is None:
            detail = f"the vendor took {result.accepted} of {size} and its report does not tell which"
            return [self._doubtful(item, result, detail) for item in batch]
        share = _share(result.credits_used, len(listed))
        return [
            self._accepted(item, result, share) if item.number[1:] in listed else self._dropped(item) for item in batch
        ]

    async def _listed(self, result: SendResult) -> frozenset[str] | None:
        """The numbers that the vendor took, by its report; None where it does not account for all of them."""
        if result.message_id is None:
            return None
        for wait in _REPORT_WAITS:
            await asyncio.sleep(wait)
            try:
                report = await self.get_report(result.message_id)
            except MensaError:
                continue
            numbers = frozenset(line.number.lstrip("+0") for line in report.lines)
            if len(numbers) == result.accepted:
                return numbers
        return None

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


def _recipient(item: Prepared) -> dict[str, str]:
    result = {"Movil": item.number[1:]}
    for index, value in enumerate(item.payload, 1):
        result[f"Variable_{index}"] = value
    return result


def _parts(text: str, unicode: bool) -> int:
    """SMS parts by the vendor's count: without ``Unicode``, what GSM lacks is replaced before it is counted."""
    found = segments(text, unicode=unicode)
    if found.forced_by and not unicode:
        found = segments(to_gsm(text).text)
    return found.parts


def _share(total: Decimal | None, count: int) -> Decimal | None:
    """Credits for each of ``count`` messages, where they divide exactly to the sixth decimal."""
    if total is None or not count:
        return None
    share = total / count
    exact = share * count == total and share == round(share, 6)
    return share if exact else None
