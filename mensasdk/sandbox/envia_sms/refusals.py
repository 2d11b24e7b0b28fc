"""Refusals of a request, with the result codes and texts of the document."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["CREDENTIALS", "DUPLICATE", "TEXTS", "Refused", "printed", "status_of", "text_of"]

_SUPPORT = "Pongase en contacto con el área de soporte"
# The vendor's spelling, with its mistakes.
TEXTS: Mapping[int, str] = {
    1: "Se bloqueó la IP de solicitud, por uso indebido de la API",
    2: "No se recibió el token del proyecto",
    3: "El token de proyecto es inválido",
    4: "Su proyecto se encuentra en estatus: Suspendido",
    5: "Su proyecto no cuenta con créditos disponibles",
    6: "No se encontró el proyecto solicitado",
    7: "No se encontró el prefijo télefónico",
    8: "El país con ese prefijo, no se encuentra en la lista de paises disponibles",
    102: "El mensaje es demasiado grande para este método / El mensaje es demasiado grande",
    103: "No se recibió el número de destino",
    104: "El número es demasiado grande",
    106: "Los mensajes programados no se pueden enviar en modo pruebas",
    107: _SUPPORT,
    108: "El valor de la fecha programada, es inválida",
    109: "Hubo un error al enviar el mensaje al destinatario",
    110: _SUPPORT,
    111: "Se ha detectado un error con el destinatario",
    112: _SUPPORT,
    113: "El campo es demasiado largo",
    114: "Se ha detectado un valor desconocido en el nivel",
    115: "Se ha proporcionado el link de notificación, pero falta el nivel",
    116: "Se ha proporcionado el nivel, pero falta el link de notificación",
    117: "Hubo un error al enviar su mensaje",
    118: "El indentificador de mensaje es muy largo",
    119: "El mensaje contiene caracteres no soportados",
    120: _SUPPORT,
    121: "Se exedió el número de caracteres en el remitente",
    122: "Demasiados destinatarios",
    123: "No hay destinatario",
    124: "El mensaje es muy largo. El limite es 160 caracteres de 7 bits",
    125: "El mensaje está vacio",
    126: _SUPPORT,
    127: _SUPPORT,
    128: _SUPPORT,
    129: "No se encontró la plantilla",
    130: "Su plantilla ha sido desactivada, si cree que es un error, contactese al área de soporte",
    131: "Su plantilla ha sido rechazada, por que no cumple con las normas de API SMS",
    132: "Su plantilla sigue en revisión",
    133: "Una de las palabras no está configurada para enviar una URL",
    134: "Una de las palabras no está configurada para enviar un texto",
    135: "El mensaje ha sido rechazado, debido a una palabra prohibida",
    136: "No se recibieron todas las variables de la plantilla",
    137: "La plantilla que intenta usar no pertenece a su cuenta",
    301: "No se recibió el tipo",
    302: "No se recibió el identificador",
    303: "No existe el identificador",
    304: "No se encontró el mensaje programado",
    400: "Bad Request",
    401: "Sin autorización",
    403: "Forbidden",
    500: "Error en el servidor",
    601: "No se encontró el número telefónico ingresado",
    602: "No se encontró el status",
}
CREDENTIALS = frozenset({1, 2, 3, 4, 6})
# The document has no code for a duplicate; it has the text below only as the description of a status.
DUPLICATE = 138
_DUPLICATE_TEXT = "Mensaje_duplicado"
_OWN_STATUS = frozenset({401, 403, 500})


class Refused(Exception):
    """Refusal of a request, with a result code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def printed(code: int) -> str:
    """Return a code as in the document's table: below ten with a leading zero, but ``"0"`` for success."""
    return f"{code:02}" if code else "0"


def text_of(code: int) -> str:
    """Return the document's text for a code; an unknown code gets a text of the sandbox's own."""
    return _DUPLICATE_TEXT if code == DUPLICATE else TEXTS.get(code, "Error desconocido")


def status_of(code: int, *, errors: int, credentials: int) -> int:
    """Return the HTTP status of a code: 200 for success; 401, 403 and 500 for these codes themselves.

    Args:
        code: the result code.
        errors: the HTTP status of other refusals.
        credentials: the HTTP status of refusals 01 to 04 and 06.
    """
    if not code:
        return 200
    if code in _OWN_STATUS:
        return code
    return credentials if code in CREDENTIALS else errors
