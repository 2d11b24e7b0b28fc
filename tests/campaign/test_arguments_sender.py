"""Wrong arguments of the sender, the routes and the router: refused where they are given, by name and position."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mensasdk import BatchSender, ConfigurationError, MensatekClient, Message, Route, Router
from mensasdk.sandbox import Sandbox

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"rate": 200}, r"rate must be a RateLimit, as in RateLimit\(200\), or a RateLimiter, not int"),
    ({"request_rate": "5/s"}, "request_rate must be a RateLimit"),
    ({"max_in_flight": 0}, "max_in_flight must be 1 or more, not 0"),
    ({"max_in_flight": True}, "max_in_flight must be a whole number"),
    ({"max_recipients": "10"}, "max_recipients must be a whole number"),
    ({"journal": "campaigns.sqlite"}, r'journal must be a journal, as in SqliteJournal\("campaigns.sqlite"\), not str'),
    ({"linger": -1}, "linger must be"),
    ({"breaker": 5}, "breaker must be a CircuitBreaker"),
    ({"budget": 50}, "budget must be a Budget"),
    ({"screens": print}, "screens must be a list of functions"),
    ({"screens": [print, "optouts.csv"]}, r"screens\[1\] must be a function .*, not str"),
]


@pytest.mark.parametrize(("arguments", "words"), WRONG)
def test_a_wrong_argument_of_a_sender_is_named(mensatek: MensatekClient, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        BatchSender(mensatek, **arguments)


@pytest.mark.parametrize("client", [None, MensatekClient, "mensatek"])
def test_what_is_no_client_is_named(client: Any) -> None:
    for make in (BatchSender, Route, lambda one: Router([one])):
        with pytest.raises(ConfigurationError, match="client must be a client of a vendor"):
            make(client)


@pytest.mark.parametrize("routes", [[], (), {}, None])
def test_a_router_needs_a_list_of_routes(routes: Any) -> None:
    with pytest.raises(ConfigurationError, match="route"):
        Router(routes)


@pytest.mark.parametrize("name", ["", " ", "a\nb", "\x00", "\ud83d", 7])
async def test_a_campaign_has_a_printable_name(mensatek: MensatekClient, name: Any) -> None:
    sender = BatchSender(mensatek)
    with pytest.raises(ConfigurationError, match="campaign must"):
        await sender.send([Message("+34600000001", "hola")], campaign=name)
    assert (await sender.send([])).complete  # the sender is free


@pytest.mark.parametrize("messages", [Message("+34600000001", "hola"), "+34600000001", {"to": "+34600000001"}, None, 3])
async def test_messages_are_a_list(box: Sandbox, mensatek: MensatekClient, messages: Any) -> None:
    with pytest.raises(ConfigurationError, match="messages must be a list"):
        await BatchSender(mensatek).send(messages)
    assert box.ledger.request_count() == 0


async def test_a_row_that_is_no_message_is_named_by_its_position_and_nothing_is_lost(
    box: Sandbox, mensatek: MensatekClient
) -> None:
    def source() -> Iterator[Any]:
        for index in range(4):
            yield Message(f"+3460000000{index}", "hola")
        yield {"to": "+34600000009"}

    sender = BatchSender(mensatek, max_recipients=2, max_in_flight=1)
    with pytest.raises(ConfigurationError, match=r"messages\[4\] must be a Message, .*, not dict"):
        await sender.send(source())
    assert sender.report is not None
    assert (sender.report.accepted, sender.report.total, len(box.ledger)) == (4, 4, 4)
    assert not sender.report.complete
