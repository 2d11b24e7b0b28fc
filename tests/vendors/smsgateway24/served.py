"""A server that gives smsgateway24's answers, function by function, and a client that talks to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import served
from served import Given
from shared import EAGER

from mensasdk.vendors.smsgateway24 import SmsGateway24Client

NUMBER = "+4915752982212"
TOKEN = "df427bfcf113c9a21c67718035076b5b"
EMAIL = "someone@example.com"
PASSWORD = "s3cret & pläin +%"
DEVICE = 260
LOGIN = {"email": EMAIL, "password": PASSWORD}


class Served(served.Served):
    path = "/getdata"


def client_of(server: Served, **options: Any) -> SmsGateway24Client:
    settings: dict[str, Any] = {"device_id": DEVICE, "base_url": server.url, "retry": EAGER, **options}
    if not {"token", "email"} & set(settings):
        settings["token"] = TOKEN
    return SmsGateway24Client(**settings)


@asynccontextmanager
async def talking(
    options: Mapping[str, Any] | None = None, /, **answers: Given | tuple[Given, ...]
) -> AsyncIterator[tuple[SmsGateway24Client, Served]]:
    """Start a server, and give a client with a token that talks to it, and the server."""
    async with Served(**answers) as server, client_of(server, **(options or {})) as client:
        yield client, server
