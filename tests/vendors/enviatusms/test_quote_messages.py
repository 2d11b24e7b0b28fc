"""The vendor's own quote for a list of any length: it is what sending the list then costs."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from served import Answer

from mensasdk import BatchSender, MensaError, Message, RetryPolicy
from mensasdk.sandbox import Sandbox
from mensasdk.vendors.enviatusms import EnviaTuSmsClient, EnviaTuSmsOptions
from mensasdk.vendors.enviatusms.batch import QuoteTotal

from .served import talking

PREFIXES = ("412", "414", "416", "422", "424", "426")
QUOTE = {"precio_usd": 0.1, "numeros_validos": 2, "numeros_invalidos": 0, "cantidad_mensajes": 2}


@asynccontextmanager
async def connect(box: Sandbox, **options: Any) -> AsyncIterator[EnviaTuSmsClient]:
    key = box.credentials("enviatusms")["api_key"]
    async with EnviaTuSmsClient(key, base_url=box.base_url("enviatusms"), **options) as client:
        yield client


def number(index: int, prefix: str = "424") -> str:
    return f"+58{prefix}{index:07}"


def people(count: int) -> Iterator[Message]:
    """Yield customers of all operators, with and without texts of their own, and some of them twice."""
    for index in range(count):
        text = "Hola" if index % 3 else f"Hola {index}, ¿cómo está?"
        yield Message(number(index % (count - 7), PREFIXES[index % 6]), text, reference=str(index))


@pytest.mark.parametrize("max_recipients", [1, 7, 500])
async def test_the_quote_is_what_the_ledger_charges(box: Sandbox, max_recipients: int) -> None:
    async with connect(box, max_recipients=max_recipients) as client:
        total = await client.quote_messages(people(200))
        assert box.ledger.charged == 0
        report = await BatchSender(client).send(people(200))
    assert report.accepted == len(box.ledger) == 200
    assert total.price == box.ledger.charged > 0
    assert total == QuoteTotal(price=total.price, valid_numbers=200, messages=200, requests=total.requests)
    assert total.requests == box.ledger.request_count("sms-costo") >= 200 / max_recipients


async def test_what_would_not_be_sent_is_told_and_costs_nothing(box: Sandbox) -> None:
    messages = [
        Message(number(1), "Hola"),
        Message(number(2, "499"), "Hola"),  # of no operator: the vendor ignores it
        Message("+34600000000", "Hola"),
        Message(number(3), "a" * 161),
        Message(number(4), ""),
    ]
    async with connect(box) as client:
        total = await client.quote_messages(messages)
        report = await BatchSender(client).send(messages)
    assert (total.valid_numbers, total.invalid_numbers, total.refused, total.requests) == (1, 1, 3, 1)
    assert (report.accepted, report.rejected, report.not_sent) == (1, 1, 3)
    assert total.price == box.ledger.charged > 0


async def test_an_empty_list_costs_nothing_and_no_request(box: Sandbox) -> None:
    async with connect(box) as client:
        assert await client.quote_messages([]) == QuoteTotal()
        assert await client.quote_messages([Message("+34600000000", "Hola")]) == QuoteTotal(refused=1)
    assert box.ledger.request_count() == 0


async def test_an_async_iterable_is_read_only_as_far_as_needed(box: Sandbox) -> None:
    read = 0
    most = 0

    async def source() -> AsyncIterator[Message]:
        nonlocal read, most
        for index in range(1_000):
            read += 1
            most = max(most, read - 10 * box.ledger.request_count("sms-costo"))
            yield Message(number(index), "Hola")

    async with connect(box, max_recipients=10) as client:
        total = await client.quote_messages(source())
    assert (total.valid_numbers, total.requests, read) == (1_000, 100, 1_000)
    assert most <= 11


async def test_a_number_stands_in_a_request_once_and_full_requests_are_made_of_those_that_come_twice() -> None:
    """Somebody who gets two messages in a row must not halve the requests of everybody behind."""
    messages = [Message(number(index), f"Hola {part}") for index in range(30) for part in range(2)]
    async with talking(QUOTE, max_recipients=10) as (client, server):
        total = await client.quote_messages(messages)
    numbers: list[Sequence[str]] = [request.json["numeros"] for request in server.requests]
    assert all(len(set(one)) == len(one) == 10 for one in numbers)
    assert Counter(itertools.chain(*numbers)) == {number(index)[1:]: 2 for index in range(30)}
    assert total.requests == len(numbers) == 6


async def test_one_number_again_and_again_keeps_only_a_few_requests_open() -> None:
    held = 0

    def source() -> Iterator[Message]:
        nonlocal held
        for index in range(100):
            held = max(held, index - len(server.requests))
            yield Message(number(1), f"Hola {index}")

    async with talking(QUOTE) as (client, server):
        total = await client.quote_messages(source())
    assert total.requests == 100
    assert held <= 9


async def test_the_text_is_sent_once_where_it_is_the_same_for_all_and_for_each_otherwise() -> None:
    async with talking(QUOTE) as (client, server):
        await client.quote_messages([Message(number(1), "Hola"), Message(number(2), "Hola")])
        await client.quote_messages(
            [
                Message(number(1), "Hola {name}", variables={"name": "Ana"}),
                Message(number(2), "Hola {name}", variables={"name": "Luz"}, options=EnviaTuSmsOptions(True)),
            ]
        )
    assert [request.json["texto"] for request in server.requests] == ["Hola", ["Hola Ana", "Hola Luz"]]


async def test_quotes_add_up_without_a_rounding_error() -> None:
    async with talking(QUOTE, max_recipients=1) as (client, _):
        total = await client.quote_messages(Message(number(index), "Hola") for index in range(30))
    assert total == QuoteTotal(price=Decimal("3.0"), valid_numbers=60, messages=60, requests=30)


async def test_a_quote_that_fails_for_good_gives_no_total() -> None:
    async with talking(QUOTE, Answer(b"<html>", status=500), max_recipients=1, retry=RetryPolicy(attempts=1)) as (
        client,
        _,
    ):
        with pytest.raises(MensaError):
            await client.quote_messages(Message(number(index), "Hola") for index in range(3))


async def test_a_quote_is_asked_for_again_when_the_network_fails() -> None:
    eager = RetryPolicy(attempts=2, base=0.0)
    async with talking(Answer(b"", status=503), QUOTE, retry=eager) as (client, server):
        total = await client.quote_messages([Message(number(1), "Hola")])
    assert (total.price, total.requests, len(server.requests)) == (Decimal("0.1"), 1, 2)
