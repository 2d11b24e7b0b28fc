"""Find the outcomes of unknown messages at Mensatek, by callbacks, the vendor's report and its groups."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from attrs import evolve

from mensasdk.codes import Code
from mensasdk.errors import AccessDenied, InvalidRequest, MensaError, OutcomeKind, ValidationError
from mensasdk.messages import Delivery, Outcome
from mensasdk.transport import Gate
from mensasdk.vendors.base import out_of_time
from mensasdk.vendors.batching import Doubt, Prepared, code_of
from mensasdk.vendors.doubts import accepted
from mensasdk.vendors.mensatek import rules
from mensasdk.vendors.mensatek.models import SendResult
from mensasdk.vendors.mensatek.requests import GetReport, SendSms
from mensasdk.vendors.mensatek.shared import request_of, share_of, shared_of, took_all
from mensasdk.vendors.mensatek.wire import MensatekWire

__all__ = ["MensatekReconcile"]


class MensatekReconcile(MensatekWire):
    """Part of `MensatekClient` that finds the outcomes of unknown messages."""

    _report_waits: tuple[float, ...]

    async def reconcile(
        self, doubts: Sequence[Doubt], *, reference: str, gate: Gate, repeat: bool
    ) -> Sequence[Outcome | None]:
        """Find the outcomes of unknown messages of one request; see `BatchClient.reconcile`.

        The means, in this order:

        * A delivery report: ACCEPTED, code ``"callback"``, whatever it says of the delivery. The vendor took the
          message and charges for it.
        * The vendor's own report (``GetReportSMS``), where the id of the request is known: from an answer, from the
          delivery report of another message of the request, or as the group's id. A listed number is ACCEPTED, code
          ``"report"``. A number that is not listed stays unknown: the vendor may have dropped it, the report may lag,
          or the vendor never got the request.
        * With ``repeat``, in a group whose report could be read: the messages whose numbers are not listed are sent
          once more, with the same id and reference. The vendor takes a number only once in a group, whichever request
          comes first. A message that is then taken or listed is ACCEPTED, code ``"repeated"``. Any other is REJECTED,
          code ``"dropped"``, or with the vendor's own code where the vendor refused the whole repetition. Where the
          repetition ends UNKNOWN too, its messages stay unknown, and it can be made again.

        A message outside a group is never sent again. Nor is a message whose ``not_after`` or scheduled time has
        passed: it would go out later than anybody wanted.

        Two kinds of message need a delivery report of their own, because the report of an id may list the number for
        another message: a message with a ``message_id`` of its own (`MensatekOptions`); and, in a group, the messages
        of a request of which the vendor took fewer than the group's report lists.

        Args:
            doubts: unknown messages of one request. `Doubt.position` and ``asked_at`` are not needed.
            reference: of the request, and of its repetition.
            gate: passed before each attempt of a repetition, but not for reports.
            repeat: True to send again within the group.

        Raises:
            MensaError: the vendor could not be asked, or refused the account, and no outcome was found.
        """
        found: dict[int, Outcome] = {}
        for index, doubt in enumerate(doubts):
            report = _own_report(doubt, reference)
            if report is not None:
                detail = f"the vendor reported on its delivery: {report.state}"
                vendor_id = report.vendor_id or doubt.vendor_id or doubt.group
                found[index] = self._taken(doubt, vendor_id, "callback", detail)
        try:
            group = await self._by_report(doubts, reference, found)
            if group is not None and repeat:
                await self._by_repeating(doubts, group, reference, gate, found)
        except MensaError:
            # Outcomes that are known must not be lost because others are not.
            if not found:
                raise
        return [found.get(index) for index in range(len(doubts))]

    async def _by_report(self, doubts: Sequence[Doubt], reference: str, found: dict[int, Outcome]) -> str | None:
        """Add the messages whose numbers are listed under an id of the request to ``found``.

        Returns:
            The group within which the other messages can be sent again; None where there is none.
        """
        rest = [
            index
            for index, doubt in enumerate(doubts)
            if index not in found and shared_of(doubt.item).options.message_id is None
        ]
        ids = list(dict.fromkeys(_ids(doubts, reference))) if rest else []
        holder: dict[str, str] = {}
        denied = False
        for message_id in ids:
            try:
                holder |= dict.fromkeys(await self._reported(message_id), message_id)
            except AccessDenied:  # cancelled, or of another account
                denied = True
        if _indistinct(doubts, holder):
            return None
        for index in rest:
            digits = doubts[index].item.number[1:]
            if digits in holder:
                detail = "the vendor's report lists the number"
                found[index] = self._taken(doubts[index], holder[digits], "report", detail)
        # With an id other than the group's, the vendor did not group the messages, and would not prevent a second SMS.
        fenced = ids == [doubts[0].group] and not denied
        return doubts[0].group if fenced else None

    async def _by_repeating(
        self, doubts: Sequence[Doubt], group: str, reference: str, gate: Gate, found: dict[int, Outcome]
    ) -> None:
        """Send the messages that are not in ``found`` once more within their group, and add their outcomes."""
        now = datetime.now(UTC)
        requests: dict[Hashable, list[int]] = {}
        for index, doubt in enumerate(doubts):
            if index not in found and doubt.group == group and not _is_late(doubt, now):
                requests.setdefault(doubt.item.batch_key, []).append(index)
        for indexes in requests.values():
            outcomes = await self._repeat([doubts[index] for index in indexes], group, reference, gate)
            found |= zip(indexes, outcomes, strict=False)  # no outcomes where the repetition is unknown too

    async def _repeat(self, doubts: Sequence[Doubt], group: str, reference: str, gate: Gate) -> Sequence[Outcome]:
        """Send messages once more within their group, and return their outcomes; none where they stay unknown."""
        items = [doubt.item for doubt in doubts]
        call = request_of(items, reference, group)
        refusal: InvalidRequest | None = None
        count = 0
        try:
            result = await self.execute(call, gate=gate)
        except InvalidRequest as error:
            # The vendor may also answer like this when it takes no number of the request.
            refusal = error
        except MensaError as error:
            if error.outcome is OutcomeKind.UNKNOWN:
                return []
            raise
        else:
            self._check_group(call, result)
            count = result.accepted
            if took_all(items, result):
                share = share_of(result.credits_used, items)
                detail = "sent again within its group, and taken"
                taken = [self._taken(doubt, result.message_id, "repeated", detail) for doubt in doubts]
                return [evolve(outcome, credits=share) for outcome in taken]
        # An empty report may still lag behind the first request, so wait for one number at least.
        listed = await self._listed(group, items, lambda seen: seen >= max(count, 1))
        if listed is None or len(listed) < count:
            return []
        detail = "sent again within its group, whose report lists the number: the vendor took one of the two requests"
        return [
            self._taken(doubt, group, "repeated", detail)
            if doubt.item.number[1:] in listed
            else self._left(doubt.item, refusal)
            for doubt in doubts
        ]

    def _check_group(self, call: SendSms, result: SendResult) -> None:
        if call.message_id is not None and result.message_id not in {None, call.message_id}:
            self._warn(call.function, "its id is not that of the group that was asked for")

    async def _listed(
        self,
        message_id: str,
        batch: Sequence[Prepared],
        enough: Callable[[int], bool],
        deadline: float | None = None,
    ) -> frozenset[str] | None:
        """Return the numbers of these messages that the vendor's report of an id lists, as digits.

        The report is fetched again until ``enough`` accepts the count of numbers, or the time is up; then the last
        report counts. None where no report could be read.
        """
        ours = frozenset(item.number[1:] for item in batch)
        listed: frozenset[str] | None = None
        for wait in self._report_waits:
            if out_of_time(deadline, wait):
                break
            await asyncio.sleep(wait)
            try:
                listed = ours & await self._reported(message_id, deadline)
            except MensaError:
                continue
            if enough(len(listed)):
                break
        return listed

    async def _reported(self, message_id: str, deadline: float | None = None) -> frozenset[str]:
        """Return all numbers that the vendor's report of an id lists, as digits."""
        report = await self.execute(GetReport(message_id=rules.message_id(message_id)), deadline=deadline)
        return frozenset(line.number.lstrip("+0") for line in report.lines)

    def _taken(self, doubt: Doubt, vendor_id: str | None, code: str, detail: str) -> Outcome:
        return accepted(doubt, vendor=self.vendor, vendor_id=vendor_id, code=code, detail=detail)

    def _dropped(self, item: Prepared) -> Outcome:
        return Outcome(
            OutcomeKind.REJECTED,
            item.message,
            vendor=self.vendor,
            code=Code.DROPPED,
            detail="the vendor dropped it inside an accepted request: a wrong, blacklisted or repeated number",
            parts=item.parts,
        )

    def _left(self, item: Prepared, refusal: MensaError | None) -> Outcome:
        if refusal is None:
            return self._dropped(item)
        return Outcome(
            OutcomeKind.REJECTED,
            item.message,
            vendor=self.vendor,
            code=code_of(refusal),
            detail=f"not in the report of its group, and refused when it was sent again: {refusal.message}",
            parts=item.parts,
        )


def _own_report(doubt: Doubt, reference: str) -> Delivery | None:
    """Return the delivery report, where it is about this message; else None.

    In a group, an earlier message to the same number has the same id and number. The reference tells the two apart.
    """
    report = doubt.reported
    if report is None or report.reference in {None, reference}:
        return report
    grouped = doubt.group is not None or shared_of(doubt.item).options.message_id is not None
    return None if grouped else report


def _ids(doubts: Sequence[Doubt], reference: str) -> Iterator[str]:
    """Yield the ids under which the vendor may hold the request, without unusable ones."""
    for doubt in doubts:
        report = _own_report(doubt, reference)
        for candidate in (doubt.group, doubt.vendor_id, doubt.request_id, report and report.vendor_id):
            if candidate:
                try:
                    yield rules.message_id(candidate)
                except ValidationError:
                    continue


def _indistinct(doubts: Sequence[Doubt], holder: Mapping[str, str]) -> bool:
    """Return whether the report of a group proves nothing about these messages.

    An answer has come for all of them, so the vendor took fewer messages than the request had. Yet the group's report
    lists all of them, so an earlier message of the group has gone to one of the numbers. Nobody can tell to which.
    """
    return all(
        doubt.group is not None and doubt.vendor_id is not None and doubt.item.number[1:] in holder for doubt in doubts
    )


def _is_late(doubt: Doubt, now: datetime) -> bool:
    messages = [doubt.item.message, doubt.screened or doubt.item.message]
    limits = [limit for message in messages for limit in (message.not_after, message.schedule_at)]
    return any(limit is not None and limit <= now for limit in limits)
