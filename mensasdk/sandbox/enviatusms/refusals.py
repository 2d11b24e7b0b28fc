"""Refusals of a request. The document gives the format of a refusal and no texts; the texts are the sandbox's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = [
    "ALL_IGNORED",
    "BAD_BODY",
    "BAD_FLAG",
    "BAD_LINK",
    "BAD_NUMBER",
    "BAD_TEXT",
    "COUNTS_DIFFER",
    "FORBIDDEN",
    "NOT_AN_ARRAY",
    "NO_BALANCE",
    "NO_CAMPAIGN",
    "NO_KEY",
    "NO_LINK",
    "NO_LINKS_LEFT",
    "NO_NUMBERS",
    "NO_TEXT",
    "TOO_LONG",
    "WRONG_KEY",
    "Refused",
    "status_of",
    "text_of",
]

# The texts have no accents, like the only answer text that the document shows.
NO_KEY = "Falta el parametro api_key."
WRONG_KEY = "El api_key es invalido."
NO_CAMPAIGN = "La campana no existe."
NO_BALANCE = "Balance insuficiente."
NO_LINKS_LEFT = "Ha alcanzado el limite de enlaces diarios."
BAD_BODY = "El cuerpo de la peticion no es un objeto JSON."
NOT_AN_ARRAY = "El parametro numeros debe ser un array."
NO_NUMBERS = "El parametro numeros esta vacio."
BAD_NUMBER = "Cada numero debe ser un string."
NO_TEXT = "El parametro texto esta vacio."
BAD_TEXT = "El parametro texto debe ser un string o un array de strings."
COUNTS_DIFFER = "La cantidad de mensajes debe coincidir con la cantidad de numeros."
TOO_LONG = "El mensaje supera los 160 caracteres."
FORBIDDEN = "El contenido del mensaje no esta permitido."
BAD_FLAG = "El parametro permitir_duplicados debe ser un boolean."
ALL_IGNORED = "Todos los numeros son invalidos."
NO_LINK = "Falta el parametro link."
BAD_LINK = "El link debe ser una URL con http o https."

_INVALID = 422
_STATUSES: Mapping[str, int] = {NO_KEY: 401, WRONG_KEY: 401, NO_CAMPAIGN: 404, NO_BALANCE: 200, NO_LINKS_LEFT: 200}
_BY_STATUS: Mapping[int, str] = {200: NO_BALANCE, 401: WRONG_KEY, 404: NO_CAMPAIGN, _INVALID: BAD_BODY}


class Refused(Exception):
    """Refusal of a request, with a text and further fields of the answer."""

    def __init__(self, text: str, **more: Any) -> None:
        super().__init__(text)
        self.text = text
        self.more = more


def status_of(text: str) -> int:
    """Return the HTTP status of the refusal with a text; 422 for an unknown text."""
    return _STATUSES.get(text, _INVALID)


def text_of(status: int) -> str:
    """Return the text of a refusal that has the given HTTP status."""
    return _BY_STATUS.get(status, "Error desconocido.")
