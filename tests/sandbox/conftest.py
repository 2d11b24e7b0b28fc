from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from mensasdk.sandbox import Sandbox
from sandbox.caller import Caller
from sandbox.envia_sms_caller import Gateway
from sandbox.enviatusms_caller import Gateway as TuSmsGateway
from sandbox.smsgateway24_caller import Gateway as PhonesGateway


@pytest.fixture
async def caller(box: Sandbox) -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession() as session:
        yield Caller(box, session)


@pytest.fixture
async def envia(box: Sandbox) -> AsyncIterator[Gateway]:
    async with aiohttp.ClientSession() as session:
        yield Gateway(box, session)


@pytest.fixture
async def tusms(box: Sandbox) -> AsyncIterator[TuSmsGateway]:
    async with aiohttp.ClientSession() as session:
        yield TuSmsGateway(box, session)


@pytest.fixture
async def gateway(box: Sandbox) -> AsyncIterator[PhonesGateway]:
    async with aiohttp.ClientSession() as session:
        yield PhonesGateway(box, session)
