"""No request, however odd, makes the emulated Mensatek fall over or lose count."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiers import examples

from mensasdk.sandbox import Mensatek, Quirks, Sandbox
from mensasdk.sandbox.vendor import Incoming

NAMES = [
    "Remitente", "Destinatarios", "Mensaje", "Fecha", "Referenciausuario", "Report", "Idmensaje", "Fail2voice",
    "Lenguajevoz", "Remitentevoz", "Unicode", "Obviarlistanegra", "Fixutf8", "Resp", "Nombre", "Tipo", "Contenido",
    "Fichero",
]  # fmt: skip
PLAUSIBLE = st.sampled_from(
    ["YO", "Hola (Variable_1)", "34600000000", "34600000000;x", "2199-01-01 10:00", "0", "1", 1, "FILES", "BASE64",
     "a.pdf", "eA==", "XML", "TXT", [{"Movil": "34600000000", "Variable_1": "x"}], '[{"movil":"34600000001"}]']
)  # fmt: skip
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT | PLAUSIBLE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["Movil", "Variable_1"]) | TEXT, inner),
    max_leaves=6,
)
BODIES = st.binary() | st.dictionaries(st.sampled_from(NAMES), PLAUSIBLE | VALUES).map(
    lambda params: json.dumps(params).encode()
)
KINDS = [
    "application/json", "application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=b",
    "text/plain", "", ";",
]  # fmt: skip


def ask(vendor: Mensatek, function: str, body: bytes, kind: str, query: str = "") -> Any:
    pair = f"{vendor.account.api_user}:{vendor.account.api_token}".encode()
    headers = {"authorization": "Basic " + base64.b64encode(pair).decode(), "content-type": kind}
    request = Incoming("POST", "/", query, headers, body)
    vendor.decode(function, request)
    return vendor.handle(function, request)


@pytest.mark.slow
@pytest.mark.parametrize("quirks", [Quirks(), Quirks.all()])
@settings(max_examples=examples(300), deadline=None)
@given(
    function=st.sampled_from(sorted(Mensatek.functions)),
    body=BODIES,
    kind=st.sampled_from(KINDS),
    query=st.text(st.characters(max_codepoint=127)),
)
async def test_every_request_gets_an_answer_and_every_credit_is_accounted_for(
    quirks: Quirks, function: str, body: bytes, kind: str, query: str
) -> None:
    box = Sandbox(mensatek=Mensatek(quirks=quirks))
    reply = ask(box.mensatek, function, body, kind, query)
    assert reply.body
    assert int(reply.outcome) >= -18
    assert len(box.ledger) == len(box.ledger.messages) == reply.accepted
    assert box.ledger.charged == 100_000 - box.mensatek.account.credits
    assert box.ledger.charged == sum(message.credits for message in box.ledger.messages)
    if reply.accepted:
        assert reply.outcome == str(reply.accepted)
