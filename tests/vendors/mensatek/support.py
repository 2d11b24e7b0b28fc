"""A server that answers every request with the same bytes, and small helpers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal, TypeVar

import pytest
from served import Answer, Served
from shared import EAGER

from mensasdk import MensaError, MensatekClient, Message, Timeouts
from mensasdk.sandbox import Mensatek, Sandbox
from mensasdk.sandbox.mensatek import service

T = TypeVar("T")
Format = Literal["json", "xml", "txt"]
Body = Literal["json", "form"]

FORMATS: tuple[Format, ...] = ("json", "xml", "txt")
BODIES: tuple[Body, ...] = ("json", "form")
NUMBER = "34600000000"
TYPES: dict[Format, str] = {
    "json": "application/json; charset=utf-8",
    "xml": "text/xml; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
}


@asynccontextmanager
async def connect(
    box: Sandbox,
    *,
    answer_format: Format = "json",
    body_format: Body = "json",
    default_country: str | None = None,
    timeouts: Timeouts | None = None,
    group_sends: bool = False,
    report_waits: Sequence[float] = (0.0, 0.0, 0.0),
) -> AsyncIterator[MensatekClient]:
    async with MensatekClient(
        **box.credentials("mensatek"),
        base_url=box.base_url("mensatek"),
        answer_format=answer_format,
        body_format=body_format,
        default_country=default_country,
        timeouts=timeouts,
        retry=EAGER,
        group_sends=group_sends,
        report_waits=report_waits,
    ) as client:
        yield client


class Literally(Served):
    """Answers each request with ``status`` and ``body``."""

    path = "/v7"

    def __init__(self, body: bytes, content_type: str | None = "application/json", status: int = 200) -> None:
        super().__init__(Answer(body, status, content_type))

    @asynccontextmanager
    async def client(self, answer_format: Format = "json") -> AsyncIterator[MensatekClient]:
        async with MensatekClient(
            "user", "token", base_url=self.url, answer_format=answer_format, retry=EAGER, report_waits=(0.0, 0.0, 0.0)
        ) as client:
            yield client


def number(index: int) -> str:
    return f"+346000001{index:02d}"


def messages(*indexes: int, **more: Any) -> list[Message]:
    return [Message(number(index), "Hola", **more) for index in indexes]


def lagging_reports(monkeypatch: pytest.MonkeyPatch, *, looks: int, shows: int = 1) -> None:
    """Make the emulated vendor's report late: the first ``looks`` times it lists no more than ``shows`` recipients."""
    honest = service._FUNCTIONS["GetReportSMS"]
    asked = 0

    def report(vendor: Mensatek, params: Any) -> Mapping[str, Any]:
        nonlocal asked
        asked += 1
        answer = honest(vendor, params)
        return {**answer, "Informe": answer["Informe"][:shows]} if asked <= looks else answer

    monkeypatch.setattr(service, "_FUNCTIONS", {**service._FUNCTIONS, "GetReportSMS": report})


async def caught(call: Awaitable[T]) -> T | MensaError:
    """Return what a call brings, be it an answer or an error of ours."""
    try:
        return await call
    except MensaError as error:
        return error
