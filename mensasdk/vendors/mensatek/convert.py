"""The converter that reads Mensatek's answers and callbacks."""

from __future__ import annotations

from typing import Final

from mensasdk.codec import make_converter

__all__ = ["CONVERTER"]

CONVERTER: Final = make_converter()
