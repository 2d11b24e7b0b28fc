"""A vendor of SMS as somebody else's package brings it: a client, words for the registry, and an emulator."""

from __future__ import annotations

__all__: list[str] = []
