"""The fifth vendor, emulated; it shares no code with the client."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar, Final
from urllib.parse import parse_qs

from mensasdk.sandbox import Vendor
from mensasdk.sandbox.callbacks import Step
from mensasdk.sandbox.ledger import LedgerMessage
from mensasdk.sandbox.vendor import Incoming, Reply

__all__ = ["Fifth"]

_STATUS: Final = {"bad_key": 401, "no_money": 402, "bad_request": 400}


class Fifth(Vendor):
    """Takes messages at 0.05 each, whatever their length.

    Numbers that end with 99 are barred; those that end with 98 are reported as failed, and all others as delivered.

    Args:
        key: the account's; a random one by default.

    Attributes:
        left: euros in the account.
        batches: the lines of each reference.
    """

    name: ClassVar[str] = "fifth"
    base_path: ClassVar[str] = "/fifth/api"
    result_field: ClassVar[str] = "ok"
    result_values: ClassVar[tuple[str, str]] = ("true", "false")
    functions: ClassVar[Mapping[str, frozenset[str]]] = {
        "account": frozenset({"GET"}),
        "list": frozenset({"GET"}),
        "messages": frozenset({"POST"}),
    }
    send_options: ClassVar[tuple[str, ...]] = ("--label", "a b")
    price: ClassVar[Decimal] = Decimal("0.05")

    def __init__(self, key: str | None = None) -> None:
        self.key = key or secrets.token_hex(8)
        self.left = Decimal(1000)
        self.batches: dict[str, list[dict[str, str]]] = {}
        self._reports: list[dict[str, str]] = []

    def credentials(self) -> Mapping[str, str]:
        return {"key": self.key}

    def fund(self, amount: Decimal) -> None:
        self.left = amount

    def decode(self, function: str, request: Incoming) -> None:
        if function != "messages":
            request.params = {name: values[-1] for name, values in parse_qs(request.query).items()}
            return
        try:
            request.params = dict(json.loads(request.body))
        except (ValueError, TypeError):
            request.malformed = "bad_request"

    def handle(self, function: str, request: Incoming) -> Reply:
        if request.headers.get("x-key") != self.key:
            return self.answer(function, request, self.refusal(function, request, "bad_key"))
        if request.malformed is not None:
            return self.answer(function, request, self.refusal(function, request, request.malformed))
        match function:
            case "account":
                return self.answer(function, request, {"ok": True, "left": str(self.left)})
            case "list":
                lines = self.batches.get(request.params.get("batch", ""), [])
                return self.answer(function, request, {"ok": True, "messages": lines})
        return self._take(function, request)

    def _take(self, function: str, request: Incoming) -> Reply:
        wanted = request.params["messages"]
        taken = [one for one in wanted if not one["to"].endswith("99")]
        cost = self.price * len(taken)
        if cost > self.left:
            return self.answer(function, request, self.refusal(function, request, "no_money"))
        self.left -= cost
        lines = [dict(self._line(one["to"], request.params["batch"])) for one in wanted]
        self.batches[request.params["batch"]] = lines
        ids = {line["to"]: line.get("id", "") for line in lines}
        self.box.ledger.accept(len(taken), cost, self._entries(taken, ids, request.params["batch"]))
        self.box.callbacks.submit(self.name, self, range(len(self._reports) - len(taken), len(self._reports)), 0)
        fields = {"ok": True, "messages": lines, "cost": str(cost), "left": str(self.left)}
        return self.answer(function, request, fields, accepted=len(taken))

    def _line(self, to: str, batch: str) -> Iterator[tuple[str, str]]:
        yield "to", to
        if to.endswith("99"):
            yield from (("state", "refused"), ("why", "barred"))
            return
        number = f"f-{len(self._reports) + 1}"
        state = "failed" if to.endswith("98") else "delivered"
        self._reports.append({"id": number, "to": to, "state": state, "batch": batch})
        yield from (("id", number), ("state", "taken"))

    def _entries(self, taken: list[dict[str, str]], ids: Mapping[str, str], batch: str) -> Iterator[LedgerMessage]:
        now = datetime.now(UTC)
        for one in taken:
            number = ids[one["to"]]
            yield LedgerMessage(
                self.name, number, number, one["to"], one["text"], "", 1, self.price, now, None, batch, "sent"
            )

    def callback(self, index: int, step: int) -> Step:
        """Return the one report of a message: see `CallbackSource`."""
        return Step(self._reports[index])

    def answer(self, function: str, request: Incoming, fields: Mapping[str, Any], *, accepted: int = 0) -> Reply:
        code = fields.get("error")
        return Reply(
            fields,
            json.dumps(fields).encode(),
            "application/json",
            status=200 if code is None else _STATUS.get(code, 400),
            outcome=code or "ok",
            accepted=accepted,
        )

    def refusal(self, function: str, request: Incoming, code: int | str) -> Mapping[str, Any]:
        return {"ok": False, "error": str(code)}

    def decoy(self, function: str, request: Incoming) -> Mapping[str, Any]:
        return {"ok": True, "left": "0", "messages": []}
