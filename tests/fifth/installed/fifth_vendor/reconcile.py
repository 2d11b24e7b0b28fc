"""Messages in doubt, settled: the fifth vendor lists what came under the reference of a request."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from fifth_vendor.models import Line, Taken
from fifth_vendor.wire import FifthWire
from mensasdk.messages import Message, Outcome, OutcomeKind
from mensasdk.transport import Gate
from mensasdk.vendors.batching import Doubt
from mensasdk.vendors.doubts import settle

__all__ = ["FifthReconcile"]


class FifthReconcile(FifthWire):
    """The part of `FifthClient` that finds out about messages in doubt."""

    @abstractmethod
    async def list_messages(self, reference: str) -> Taken: ...

    async def reconcile(
        self, doubts: Sequence[Doubt], *, reference: str, gate: Gate, repeat: bool
    ) -> Sequence[Outcome | None]:
        """Find out what became of messages of one request; see `BatchClient.reconcile`. Nothing is ever sent."""
        lines: dict[str, Line] | None = None

        async def ask(doubt: Doubt) -> Outcome | None:
            nonlocal lines
            if lines is None:
                lines = {line.number: line for line in (await self.list_messages(reference)).lines}
            line = lines.get(doubt.item.number)
            if line is None:
                return None
            detail = "the list of its request has it" if line.id else f"refused: {line.why}"
            return self._outcome(doubt.item.message, line, doubt.item.parts, code="listed", detail=detail)

        return await settle(doubts, ask, vendor=self.vendor)

    def _outcome(self, message: Message, line: Line, parts: int, *, code: str | None, detail: str) -> Outcome:
        kind = OutcomeKind.ACCEPTED if line.id else OutcomeKind.REJECTED
        return Outcome(kind, message, vendor=self.vendor, vendor_id=line.id, code=code, detail=detail, parts=parts)
