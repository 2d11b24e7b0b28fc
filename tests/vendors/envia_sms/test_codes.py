"""The 54 codes of the document, each over a socket, and the words for where a message is."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from served import Answer
from shared import pickled

from mensasdk import (
    AccessDenied,
    AddressBlocked,
    AuthError,
    InsufficientCredits,
    InvalidRequest,
    MensaError,
    NotFound,
    OutcomeKind,
    VendorError,
)
from mensasdk.vendors.envia_sms import Reason, Status
from mensasdk.vendors.envia_sms.codes import REFUSALS

from .served import CALLS, REJECTED, SPELLINGS, UNKNOWN, Served, envelope

# Read from the document's table, line by line: what it says, and what a caller has to make of it.
TABLE: dict[str, tuple[str, type[VendorError], OutcomeKind, bool]] = {
    "01": ("Se bloqueó la IP de solicitud, por uso indebido de la API", AddressBlocked, REJECTED, False),
    "02": ("No se recibió el token del proyecto", AuthError, REJECTED, False),
    "03": ("El token de proyecto es inválido", AuthError, REJECTED, False),
    "04": ("Su proyecto se encuentra en estatus: Suspendido", AddressBlocked, REJECTED, False),
    "05": ("Su proyecto no cuenta con créditos disponibles", InsufficientCredits, REJECTED, False),
    "06": ("No se encontró el proyecto solicitado", AuthError, REJECTED, False),
    "07": ("No se encontró el prefijo télefónico", InvalidRequest, REJECTED, False),
    "08": ("El país con ese prefijo, no se encuentra en la lista", InvalidRequest, REJECTED, False),
    "102": ("El mensaje es demasiado grande", InvalidRequest, REJECTED, False),
    "103": ("No se recibió el número de destino", InvalidRequest, REJECTED, False),
    "104": ("El número es demasiado grande", InvalidRequest, REJECTED, False),
    "106": ("Los mensajes programados no se pueden enviar en modo pruebas", InvalidRequest, REJECTED, False),
    "107": ("Pongase en contacto con el área de soporte", VendorError, UNKNOWN, False),
    "108": ("El valor de la fecha programada, es inválida", InvalidRequest, REJECTED, False),
    "109": ("Hubo un error al enviar el mensaje al destinatario", VendorError, UNKNOWN, True),
    "110": ("Pongase en contacto con el área de soporte", VendorError, UNKNOWN, False),
    "111": ("Se ha detectado un error con el destinatario", InvalidRequest, REJECTED, False),
    "112": ("Pongase en contacto con el área de soporte", VendorError, UNKNOWN, False),
    "113": ("El campo es demasiado largo", InvalidRequest, REJECTED, False),
    "114": ("Se ha detectado un valor desconocido en el nivel", InvalidRequest, REJECTED, False),
    "115": ("Se ha proporcionado el link de notificación, pero falta el nivel", InvalidRequest, REJECTED, False),
    "116": ("Se ha proporcionado el nivel, pero falta el link de notificación", InvalidRequest, REJECTED, False),
    "117": ("Hubo un error al enviar su mensaje", VendorError, UNKNOWN, True),
    "118": ("El indentificador de mensaje es muy largo", InvalidRequest, REJECTED, False),
    "119": ("El mensaje contiene caracteres no soportados", InvalidRequest, REJECTED, False),
    "120": ("Pongase en contacto con el área de soporte", VendorError, UNKNOWN, False),
    "121": ("Se exedió el número de caracteres en el remitente", InvalidRequest, REJECTED, False),
    "122": ("Demasiados destinatarios", InvalidRequest, REJECTED, False),
    "123": ("No hay destinatario", InvalidRequest, REJECTED, False),
    "124": ("El mensaje es muy largo. El limite es 160 caracteres de 7 bits", InvalidRequest, REJECTED, False),
    "125": ("El mensaje está vacio", InvalidRequest, REJECTED, False),
    "126": ("Pongase en contacto con el área de soporte", VendorError, UNKNOWN, False),
    "127": ("Pongase en contacto con el área de soporte", VendorError, UNKNOWN, False),
    "128": ("Pongase en contacto con el área de soporte", VendorError, UNKNOWN, False),
    "129": ("No se encontró la plantilla", NotFound, REJECTED, False),
    "130": ("Su plantilla ha sido desactivada", InvalidRequest, REJECTED, False),
    "131": ("Su plantilla ha sido rechazada", InvalidRequest, REJECTED, False),
    "132": ("Su plantilla sigue en revisión", InvalidRequest, REJECTED, False),
    "133": ("Una de las palabras no está configurada para enviar una URL", InvalidRequest, REJECTED, False),
    "134": ("Una de las palabras no está configurada para enviar un texto", InvalidRequest, REJECTED, False),
    "135": ("El mensaje ha sido rechazado, debido a una palabra prohibida", InvalidRequest, REJECTED, False),
    "136": ("No se recibieron todas las variables de la plantilla", InvalidRequest, REJECTED, False),
    "137": ("La plantilla que intenta usar no pertenece a su cuenta", AccessDenied, REJECTED, False),
    "301": ("No se recibió el tipo", InvalidRequest, REJECTED, False),
    "302": ("No se recibió el identificador", InvalidRequest, REJECTED, False),
    "303": ("No existe el identificador", NotFound, REJECTED, False),
    "304": ("No se encontró el mensaje programado", NotFound, REJECTED, False),
    "400": ("Bad Request", InvalidRequest, REJECTED, False),
    "401": ("Sin autorización", AuthError, REJECTED, False),
    "403": ("Forbidden", AuthError, REJECTED, False),
    "500": ("Error en el servidor", VendorError, UNKNOWN, True),
    "601": ("No se encontró el número telefónico ingresado", NotFound, REJECTED, False),
    "602": ("No se encontró el status", NotFound, REJECTED, False),
}


def functions_of(code: str) -> tuple[str, ...]:
    """Return the methods that the document lists a code for."""
    match int(code):
        case number if number < 100 or 400 <= number < 600:
            return tuple(CALLS)
        case 302 | 303:
            return "cancel", "cancel all", "send now", "send all now", "status"
        case 301 | 304:
            return "cancel", "cancel all", "send now", "send all now"
        case 601 | 602:
            return ("status",)
        case _:
            return ("send",)


def test_the_table_is_the_documents_54_codes_of_which_one_is_success() -> None:
    assert len(TABLE) + 1 == 54
    assert set(REFUSALS) == {int(code) for code in TABLE}


async def refused(function: str, answer: Answer) -> tuple[MensaError, Served]:
    async with Served(answer) as server, server.client() as client:
        with pytest.raises(MensaError) as caught:
            await CALLS[function][0](client)
    return caught.value, server


CASES = [(code, function) for code in TABLE for function in functions_of(code)]


@pytest.mark.slow
@pytest.mark.parametrize(("code", "function"), CASES)
async def test_a_code_is_a_typed_error_that_says_what_became_of_the_request(code: str, function: str) -> None:
    """Under the statuses that the document names, as text and as number, in all three spellings of the envelope."""
    meaning, kind, outcome, retryable = TABLE[code]
    for status in (200, 400):
        for spelling in SPELLINGS:
            for value in (code, int(code)):
                body = envelope(None, error=True, code=value, words=meaning, spelling=spelling)
                error, server = await refused(function, Answer(body, status))
                assert type(error) is kind
                assert error.code == code
                assert error.outcome is outcome
                assert error.retryable is retryable
                assert error.vendor == "envia_sms"
                assert f"code {code}: " in str(error)
                if function not in {"status", "credits"} or not retryable:
                    assert len(server.requests) == 1
                again = pickled(error)
                assert (type(again), vars(again)) == (kind, vars(error))


@pytest.mark.parametrize("code", ["01", "02", "03", "04", "05", "06", "401", "403", "129"])
async def test_a_refusal_is_also_read_under_status_401_and_403(code: str) -> None:
    """One client of others reports error bodies with 403."""
    for status in (401, 403):
        error, _ = await refused("send", Answer(envelope(None, error=True, code=code), status))
        assert type(error) is TABLE[code][1]
        assert error.code == code


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("function", CALLS)
async def test_a_code_that_nobody_has_seen_leaves_doubt_and_quotes_the_vendor(function: str, status: int) -> None:
    for code, name in ((105, "105"), ("999", "999"), (-7, "-7"), ("E-12", "E-12")):
        body = envelope([], error=True, code=code, words="Algo nuevo\n y raro")
        error, _ = await refused(function, Answer(body, status))
        assert type(error) is VendorError
        assert error.code == name
        assert error.outcome is UNKNOWN
        assert not error.retryable
        assert "Algo nuevo y raro" in str(error)


async def test_the_vendors_words_are_kept_where_the_document_says_no_more_than_contact_support() -> None:
    body = envelope(None, error=True, code=107, words="Remitente sin configurar")
    error, _ = await refused("send", Answer(body, 400))
    assert "Remitente sin configurar" in str(error)


@pytest.mark.parametrize("response", [None, [], {}, "", ..., {"mensaje": "x"}, {"identificador": None}], ids=repr)
async def test_whatever_stands_in_the_response_of_a_refusal_does_not_matter(response: Any) -> None:
    body = envelope(response, error=True, code="05") if response is not ... else b'{"error":true,"codigo_error":"05"}'
    error, _ = await refused("send", Answer(body, 400))
    assert type(error) is InsufficientCredits


# ------------------------------------------------------------------------------------------------- open text enums


@given(st.text(min_size=1).filter(lambda text: bool(text.strip())))
def test_any_word_is_a_status_and_a_reason_and_keeps_its_spelling_unless_it_is_known(text: str) -> None:
    for kind in (Status, Reason):
        value = kind(text)
        assert type(value) is kind
        assert kind(value) == value
        if not value.is_known:
            assert value == value.value == text
            assert hash(value) == hash(text)
        for twin in (pickled(value), copy.copy(value), copy.deepcopy(value)):
            assert type(twin) is kind
            assert twin == value
    assert len(Status) == 6
    assert len(Reason) == 4


@pytest.mark.parametrize("value", ["", "  ", None, 1.5, [], 77])
def test_what_is_no_word_at_all_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="is not a valid"):
        Status(value)
    with pytest.raises(ValueError, match="is not a valid"):
        Reason(value)


def test_known_words_keep_their_identity_through_pickle() -> None:
    for word in (*Status, *Reason):
        assert pickled(word) is word
