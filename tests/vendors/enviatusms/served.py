"""Sample answers of EnvíaTuSMS, a server that gives them, and a client that talks to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import served
from served import Given
from shared import EAGER

from mensasdk.vendors.enviatusms import EnviaTuSmsClient

KEY = "0123456789abcdef"

# The document's own sample answers, byte for byte.
BALANCE = b'{ "status": "ok", "sms": { "movistar": 100, "digitel": 200, "movilnet": 50 }, "balance": 4.50 }'
SENT = (
    b'{ "status":"ok", "id": 1234, "msg":"Mensaje enviado con exito. Numeros invalidos ignorados.", '
    b'"ignored": ["581234567896", "58123456789"] }'
)
QUOTE = b'{ "precio_usd":20.655, "numeros_validos": 200, "numeros_invalidos":0, "cantidad_mensajes": 200 }'
CAMPAIGN = (
    '{ "status": "ok", "message_text": "Mi campaña de mensajeria", "created_at": "2023-04-28 12:05:17", '
    '"send_at": "2023-04-28 12:05:17", "approved": 1, "cancelled": 0, "from_api": 0, "stats": { "total_numbers": 2, '
    '"total_sms": 2, "pending": 2, "delivered": 0, "failed": 0 }, "numbers_stats": [ { "mobile_number": 584244623824, '
    '"status": 0, "processed": 0 }, { "mobile_number": 584123658866, "status": 0, "processed": 0 } ], '
    '"shortlink_stats": { "short_url": "https://etsms.me/001", "orig_url": "https://www.enviatusms.com", '
    '"total_clicks": 0, "unique_clicks": 0, "total_views": 0 } }'
).encode()
SHORT_LINK = (
    b'{ "success": true, "orig_link": "https://www.mi-url-a-acortar.com", "link": "https://etsms.me/XYZ", '
    b'"link_no_protocol": "etsms.me/XYZ", "id": "XYZ", }'
)


class Served(served.Served):
    path = "/api"


@asynccontextmanager
async def talking(*answers: Given, **options: Any) -> AsyncIterator[tuple[EnviaTuSmsClient, Served]]:
    """Start a server, and give a client that talks to it, and the server."""
    async with Served(*answers) as server:
        settings = {"base_url": server.url, "retry": EAGER, "campaign_waits": (0.0, 0.0, 0.0), **options}
        async with EnviaTuSmsClient(KEY, **settings) as client:
            yield client, server
