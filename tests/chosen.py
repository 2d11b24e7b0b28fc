"""The transport that the fault matrix and the tests of transports are run with: see ``docs/transports.md``.

``MENSASDK_TEST_TRANSPORT`` names it, as ``package.module:name`` of something that is called as `AiohttpTransport` is,
with ``pool_size``, ``max_body``, ``ca_file``, ``proxy`` and ``proxy_headers``. By default it is `AiohttpTransport`.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

import pytest

__all__ = ["OF_AIOHTTP", "found", "make_transport"]

_OURS = "mensasdk.transport:AiohttpTransport"
_CHOSEN = os.environ.get("MENSASDK_TEST_TRANSPORT", _OURS)
OF_AIOHTTP = pytest.mark.skipif(_CHOSEN != _OURS, reason="about what only AiohttpTransport has")


def found(name: str) -> Any:
    """Return what stands under ``package.module:name``."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


def make_transport(**options: Any) -> Any:
    """Return a transport of the chosen kind."""
    return found(_CHOSEN)(**options)
