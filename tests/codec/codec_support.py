"""Writers of the three answer formats and a report class, for the tests of the codec. They share no code with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

import pytest
from attrs import frozen

from mensasdk.codec import raw_field, wire
from mensasdk.errors import MensaError


class StatusCode(int):
    """An open enum, as the vendors define them."""


@frozen
class Line:
    at: str = wire("Fecha")
    seconds: int = wire("Tiempo")
    number: str = wire("Telefono", "Movil")
    status: StatusCode = wire("Resultado")
    text: str = wire("Estado")
    raw: Mapping[str, Any] = raw_field()


@frozen
class Report:
    result: int = wire("Res", "Resp")
    credits: Decimal = wire("Cred", "Saldo")
    recipients: int = wire("Destinatarios")
    lines: tuple[Line, ...] = wire("Informe")
    raw: Mapping[str, Any] = raw_field()


@frozen
class SendAnswer:
    result: int = wire("Res", "Resp")
    message_id: str = wire("idMensaje", "Msgid")
    credits: Decimal = wire("Cred")
    messages: int = wire("Mensajes")
    not_sent: int = wire("NoEnviados")
    used: int = wire("CreditosUsados")


SENT = {
    "Res": "120",
    "Msgid": "27184020",
    "Cred": "19808.45",
    "Mensajes": "120",
    "NoEnviados": "10",
    "CreditosUsados": "1080",
}


def report_tree(count: int) -> dict[str, Any]:
    """Return a report of so many recipients, all values strings."""
    states = (("11", "Entregado al teléfono"), ("51", "No: entregado"), ("1002", '<Esperando> & "más"'))
    return {
        "Cred": "12345.67",
        "Res": "1",
        "Destinatarios": str(count),
        "Informe": [
            {
                "Fecha": f"2030-04-30 {i // 60 % 24:02}:{i % 60:02}:{i * 7 % 60:02}",
                "Tiempo": str(i % 90),
                "Telefono": str(34600000000 + i * 37),
                "Resultado": states[i % 3][0],
                "Estado": states[i % 3][1],
            }
            for i in range(count)
        ],
    }


def write_json(tree: Any) -> str:
    return json.dumps([tree], ensure_ascii=False)


def write_xml(tree: Any, name: str = "result") -> str:
    return '<?xml version="1.0"?>\n' + _element(name, tree)


def _element(name: str, value: Any) -> str:
    if isinstance(value, dict):
        inner = "".join(_element(key, item) for key, item in value.items())
    elif isinstance(value, list):
        inner = "\n".join(_element(f"item{i}", item) for i, item in enumerate(value))
    else:
        inner = escape(value)
    return f"<{name}>{inner}</{name}>"


def write_txt(tree: Any, end: str = "\r\n") -> str:
    lines: list[str] = []

    def put(key: str, value: Any) -> None:
        if isinstance(value, str):
            lines.append(f"{key}:{value};")
            return
        entries = list(enumerate(value)) if isinstance(value, list) else list(value.items())
        lines.extend([f"{key}:", "["] if isinstance(value, list) else [f"{key}: ["])
        for name, item in entries:
            put(str(name), item)
        lines.append("]")

    for key, value in tree.items():
        put(key, value)
    return "".join(line + end for line in lines)


def refused(kind: type[MensaError], call: Callable[..., object], *args: Any) -> MensaError:
    """Check that ``call(*args)`` raises ``kind``, and return the error, which carries nothing along."""
    with pytest.raises(kind) as caught:
        call(*args)
    error: MensaError = caught.value
    assert error.__context__ is None
    assert error.__cause__ is None
    return error
