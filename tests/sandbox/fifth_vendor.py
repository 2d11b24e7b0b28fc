"""A vendor as somebody else's package brings it: words for the registry, and an emulator; and how it gets installed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Final

from attrs import evolve

from mensasdk.registry import CallbackInfo, VendorInfo
from mensasdk.sandbox.callbacks import Step
from mensasdk.sandbox.ledger import LedgerMessage
from mensasdk.sandbox.vendor import Incoming, Reply, Vendor

__all__ = ["INFO", "REPORT", "SILENT", "Fifth", "install"]

INFO: Final = VendorInfo(
    name="fifth",
    title="Fifth",
    client="fifth_vendor.client:FifthClient",  # nobody asks for it
    credentials=("key",),
    callbacks=CallbackInfo(parser="fifth_vendor.callbacks:parse", proof="password"),
    emulator="sandbox.fifth_vendor:Fifth",
)
SILENT: Final = evolve(INFO, emulator=None)
REPORT: Final = {"id": "1", "state": "delivered"}


class Fifth(Vendor):
    """Takes ``{"to": ..., "text": ...}`` for one unit, and reports it as delivered."""

    name: ClassVar[str] = "fifth"
    base_path: ClassVar[str] = "/fifth/api"
    result_field: ClassVar[str] = "ok"
    result_values: ClassVar[tuple[str, str]] = ("true", "false")
    functions: ClassVar[Mapping[str, frozenset[str]]] = {"send": frozenset({"POST"}), "left": frozenset({"GET"})}
    send_options: ClassVar[tuple[str, ...]] = ("--line", "a b")

    def __init__(self, key: str = "k-5") -> None:
        self.key = key
        self.left = Decimal(0)

    def credentials(self) -> Mapping[str, str]:
        return {"key": self.key}

    def fund(self, amount: Decimal) -> None:
        self.left = amount

    def decode(self, function: str, request: Incoming) -> None:
        request.params = json.loads(request.body) if request.body else {}

    def handle(self, function: str, request: Incoming) -> Reply:
        if request.headers.get("key") != self.key:
            return self.answer(function, request, {"ok": False})
        if function == "left":
            return self.answer(function, request, {"ok": True, "left": str(self.left)})
        self.left -= 1
        now, to, text = datetime.now(UTC), request.params["to"], request.params["text"]
        message = LedgerMessage("fifth", "1", "1", to, text, "", 1, Decimal(1), now, None, "", "sent")
        self.box.ledger.accept(1, Decimal(1), [message])
        self.box.callbacks.submit(self.name, self, range(1), 0)
        return self.answer(function, request, {"ok": True})

    def callback(self, index: int, step: int) -> Step:
        return Step(REPORT)

    def answer(self, function: str, request: Incoming, fields: Mapping[str, Any]) -> Reply:
        return Reply(fields, json.dumps(fields).encode(), "application/json")

    def refusal(self, function: str, request: Incoming, code: int | str) -> Mapping[str, Any]:
        return {"ok": False, "code": code}

    def decoy(self, function: str, request: Incoming) -> Mapping[str, Any]:
        return {"ok": True}


def install(folder: Path, *, info: str = "INFO") -> Path:
    """Put what pip leaves of an installed package into a folder, which then has to be on the path."""
    left = folder / "fifth_vendor-1.0.dist-info"
    left.mkdir()
    (left / "METADATA").write_text("Metadata-Version: 2.1\nName: fifth-vendor\nVersion: 1.0\n")
    (left / "entry_points.txt").write_text(f"[mensasdk.vendors]\nfifth = sandbox.fifth_vendor:{info}\n")
    return folder
