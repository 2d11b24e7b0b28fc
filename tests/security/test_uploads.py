"""Files that are uploaded: who deletes them, and who can see them."""

from __future__ import annotations

import pytest

from mensasdk import MensatekClient, SmsGateway24Client
from mensasdk.sandbox import Sandbox


@pytest.mark.parametrize("auto_delete", [None, False, True])
async def test_nothing_is_deleted_unless_asked_for(
    box: Sandbox, mensatek: MensatekClient, auto_delete: bool | None
) -> None:
    if auto_delete is None:
        await mensatek.upload_file(b"content", name="a.pdf")
    else:
        await mensatek.upload_file(b"content", name="a.pdf", auto_delete=auto_delete)
    params = box.ledger.requests[-1].params
    assert params.get("Autoborrado") == ("Si" if auto_delete else None)
    assert box.ledger.request_count() == 1


def test_the_method_says_that_an_image_becomes_public() -> None:
    assert "PUBLIC" in (SmsGateway24Client.send_sms.__doc__ or "")
