"""Every refusal that the document names becomes one typed error, and so do those that it does not name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from shared import check_plain, next_year

from mensasdk import (
    AccessDenied,
    AuthError,
    InsufficientCredits,
    InvalidRequest,
    MensaError,
    MensatekClient,
    NotFound,
    OutcomeKind,
    RateLimited,
    StateConflict,
    UnexpectedResponse,
    UnexpectedStatus,
    UploadRefused,
    VendorError,
)
from mensasdk.errors import DecodeError
from mensasdk.sandbox import Fault, Mensatek, Quirks, Sandbox

from .support import BODIES, FORMATS, NUMBER, TYPES, Body, Format, Literally, connect

Call = Callable[[MensatekClient], Awaitable[object]]

CALLS: dict[str, Call] = {
    "EnviarSMS": lambda client: client.send_sms([NUMBER], "Hola"),
    "CancelarSMS": lambda client: client.cancel_sms("123"),
    "ReprogramarSMS": lambda client: client.reschedule_sms("123", datetime(next_year(), 7, 1, 9, tzinfo=UTC)),
    "GetReportSMS": lambda client: client.get_report("123"),
    "CargarFichero": lambda client: client.upload_file(b"%PDF", name="a.pdf"),
    "ListarFicheros": lambda client: client.list_files(),
    "BorrarFichero": lambda client: client.delete_file("a.pdf"),
    "GetCreditos": lambda client: client.get_credits(),
    "GetPlantillasSMS": lambda client: client.list_templates(),
}

# From the document's lists of values of Res, function by function.
DOCUMENTED: dict[str, dict[int, type[VendorError]]] = {
    "EnviarSMS": {-1: AuthError, -2: InsufficientCredits, -3: InvalidRequest},
    "CancelarSMS": {-1: AuthError, -2: AccessDenied, -3: InvalidRequest, -4: StateConflict, -5: StateConflict},
    "ReprogramarSMS": {
        -1: AuthError,
        -2: AccessDenied,
        -3: InvalidRequest,
        -4: StateConflict,
        -5: StateConflict,
        -6: InvalidRequest,
        -7: StateConflict,
    },
    "GetReportSMS": {-1: AuthError, -2: AccessDenied, -3: InvalidRequest, -4: AccessDenied},
    "CargarFichero": {
        -1: AuthError,
        -3: InvalidRequest,
        **dict.fromkeys((-10, -11, -12, -13, -15, -16, -17, -18), UploadRefused),
    },
    "ListarFicheros": {
        -1: AuthError,
        -3: InvalidRequest,
        **dict.fromkeys((-10, -11, -12, -13, -15, -16, -17, -18), UploadRefused),
    },
    "BorrarFichero": {-1: AuthError, -2: NotFound, -3: InvalidRequest},
    "GetCreditos": {-1: AuthError},
    "GetPlantillasSMS": {-1: AuthError, -3: InvalidRequest},
}
REFUSALS = [(function, code, kind) for function, codes in DOCUMENTED.items() for code, kind in codes.items()]

every_format = pytest.mark.parametrize("answer_format", FORMATS)


async def refused(client: MensatekClient, function: str = "EnviarSMS") -> MensaError:
    with pytest.raises(MensaError) as caught:
        await CALLS[function](client)
    check_plain(caught.value, "mensatek")
    assert caught.value.vendor == "mensatek"
    return caught.value


@every_format
@pytest.mark.parametrize(("function", "code", "kind"), REFUSALS)
async def test_a_documented_refusal_is_typed_and_not_tried_again(
    box: Sandbox, answer_format: Format, function: str, code: int, kind: type[VendorError]
) -> None:
    box.fail("mensatek", function=function, fault=Fault.RES, res=code, when="before", times=None)
    async with connect(box, answer_format=answer_format) as client:
        error = await refused(client, function)
    assert type(error) is kind
    assert error.outcome is OutcomeKind.REJECTED
    assert error.code == str(code)
    assert not error.retryable
    assert function in str(error)
    assert f"Res={code}" in str(error)
    assert box.ledger.request_count() == 1


@every_format
@pytest.mark.parametrize("function", CALLS)
async def test_a_refusal_that_the_document_does_not_name_is_a_vendor_error(
    box: Sandbox, answer_format: Format, function: str
) -> None:
    box.fail("mensatek", fault=Fault.RES, res=-99, when="before", times=None)
    async with connect(box, answer_format=answer_format) as client:
        error = await refused(client, function)
    assert type(error) is VendorError
    assert error.outcome is OutcomeKind.REJECTED
    assert error.code == "-99"
    assert box.ledger.request_count() == 1


# ------------------------------------------------------------------------------- refusals by a vendor that acts


@every_format
@pytest.mark.parametrize("body_format", BODIES)
async def test_too_few_credits_say_how_many_are_needed_and_left(
    box: Sandbox, answer_format: Format, body_format: Body
) -> None:
    box.mensatek.account.credits = Decimal("1.5")
    async with connect(box, answer_format=answer_format, body_format=body_format) as client:
        with pytest.raises(InsufficientCredits) as caught:
            await client.send_sms([NUMBER, "34600000001", "34600000002"], "Hola")
    assert caught.value.needed == Decimal(3)
    assert caught.value.available == Decimal("1.5")
    check_plain(caught.value, "mensatek")
    assert len(box.ledger) == 0


@pytest.mark.parametrize(
    ("body", "needed", "available"),
    [
        (b'[{"Res":-2}]', None, None),
        (b'[{"Res":"-2","CredNecesarios":"18","Saldo":"1.234,50"}]', Decimal(18), Decimal("1234.50")),
        (b'[{"Res":-2,"CreditosNecesarios":NaN,"Cred":"?"}]', None, None),
        (b'{"RES":-2,"CREDITOSNECESARIOS":18,"CRED":3.0}', Decimal(18), Decimal(3)),
    ],
)
async def test_too_few_credits_are_told_in_every_spelling(
    body: bytes, needed: Decimal | None, available: Decimal | None
) -> None:
    async with Literally(body) as server, server.client() as client:
        error = await refused(client)
    assert isinstance(error, InsufficientCredits)
    assert (error.needed, error.available) == (needed, available)


@every_format
async def test_the_vendors_own_refusals_arrive(box: Sandbox, answer_format: Format) -> None:
    """Not forced by a fault: the emulated vendor itself comes to each of these conclusions."""
    async with connect(box, answer_format=answer_format) as client:
        with pytest.raises(AccessDenied):
            await client.cancel_sms("999999")
        with pytest.raises(AccessDenied):
            await client.get_report("999999")
        with pytest.raises(NotFound):
            await client.delete_file("nada.pdf")
        sent = await client.send_sms([NUMBER], "Hola")
        assert sent.message_id is not None
        with pytest.raises(StateConflict) as late:
            await client.cancel_sms(sent.message_id)
        later = await client.send_sms([NUMBER], "Hola", schedule_at=datetime(next_year(), 7, 1, tzinfo=UTC))
        assert later.message_id is not None
        await client.cancel_sms(later.message_id)
        with pytest.raises(StateConflict) as twice:
            await client.cancel_sms(later.message_id)
        with pytest.raises(UploadRefused) as wrong:
            await client.upload_file(b"x", name="a.exe")
        box.mensatek.account.trial = True
        with pytest.raises(UploadRefused) as trial:
            await client.upload_file(b"x", name="a.pdf")
        with pytest.raises(InvalidRequest, match="Idmensaje no existe"):
            await client.send_sms([NUMBER], "Hola", message_id=5)
    codes = [late.value.code, twice.value.code, wrong.value.code, trial.value.code]
    assert codes == ["-4", "-5", "-11", "-18"]


async def test_the_vendors_words_are_shown_shortened_and_on_one_line() -> None:
    body = '[{"Res":-3,"Error":"Falta  parámetro\\r\\nobligatorio ' + "x" * 500 + '"}]'
    async with Literally(body.encode()) as server, server.client() as client:
        error = await refused(client)
    assert isinstance(error, InvalidRequest)
    assert "(Falta parámetro obligatorio xxx" in str(error)
    assert "\n" not in str(error)
    assert len(str(error)) < 300


# -------------------------------------------------------------------------------------------------- credentials


@every_format
@pytest.mark.parametrize("function", CALLS)
@pytest.mark.parametrize(
    "quirks",
    [
        Quirks(),
        Quirks(bare_auth_error=True),
        Quirks(auth_status=401),
        Quirks(auth_status=403, bare_auth_error=True),
        Quirks.all(),
    ],
    ids=["in the body", "bare -1", "401", "403", "all quirks"],
)
async def test_wrong_credentials_are_told_once(answer_format: Format, function: str, quirks: Quirks) -> None:
    async with (
        Sandbox(mensatek=Mensatek(quirks=quirks)) as box,
        MensatekClient("somebody", "else", base_url=box.base_url("mensatek"), answer_format=answer_format) as client,
    ):
        error = await refused(client, function)
    assert type(error) is AuthError
    assert error.outcome is OutcomeKind.REJECTED
    assert error.code == "-1"
    assert not error.retryable
    assert box.ledger.request_count() == 1


@every_format
@pytest.mark.parametrize("body", [b"-1", b" -1\r\n", b"\xef\xbb\xbf-1"])
async def test_a_bare_minus_one_means_the_credentials(answer_format: Format, body: bytes) -> None:
    async with Literally(body, "text/html") as server, server.client(answer_format) as client:
        for function in CALLS:
            error = await refused(client, function)
            assert type(error) is AuthError
            assert error.code == "-1"


@pytest.mark.parametrize(
    ("answer_format", "body"),
    [
        ("json", b'{"Cred":"-1"}'),
        ("json", b'{"Cred":-1}'),
        ("json", b'{"CRED":-1.0}'),
        ("txt", b"Cred:-1;\r\n"),
        ("xml", b'<?xml version="1.0"?><result><Cred>-1</Cred></result>'),
    ],
)
async def test_the_oldest_refusal_of_credentials_is_a_balance_of_minus_one(answer_format: Format, body: bytes) -> None:
    async with Literally(body) as server, server.client(answer_format) as client:
        error = await refused(client, "GetCreditos")
        assert type(error) is AuthError
        assert error.code == "-1"
        # An answer to a send without a result says nothing, whatever the balance is.
        error = await refused(client, "EnviarSMS")
        assert isinstance(error, DecodeError)
        assert error.outcome is OutcomeKind.UNKNOWN


async def test_a_balance_of_minus_one_beside_a_good_result_is_a_debt() -> None:
    async with Literally(b'[{"Res":1,"Cred":-1}]') as server, server.client() as client:
        assert await client.get_credits() == -1


# -------------------------------------------------------------------------------------------------- HTTP statuses

PAGE = b"<html><body><h1>Forbidden</h1></body></html>"


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("body", [PAGE, b"", b"{}"])
async def test_401_and_403_with_a_page_mean_the_credentials(status: int, body: bytes) -> None:
    async with Literally(body, "text/html", status) as server, server.client() as client:
        error = await refused(client)
    assert type(error) is AuthError
    assert error.outcome is OutcomeKind.REJECTED
    assert error.code == str(status)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 402, 404, 409, 422])
@pytest.mark.parametrize(
    ("answer_format", "body"),
    [
        ("json", b'[{"Res":-2,"Cred":3,"CreditosNecesarios":18}]'),
        ("xml", b"<result><Res>-2</Res><Cred>3</Cred><CreditosNecesarios>18</CreditosNecesarios></result>"),
        ("txt", b"Res:-2;\r\nCred:3;\r\nCreditosNecesarios:18;\r\n"),
    ],
)
async def test_a_4xx_with_a_documented_body_is_what_the_body_says(
    status: int, answer_format: Format, body: bytes
) -> None:
    async with Literally(body, TYPES[answer_format], status) as server, server.client(answer_format) as client:
        error = await refused(client)
    assert isinstance(error, InsufficientCredits)
    assert error.code == "-2"
    assert error.needed == 18


@pytest.mark.parametrize("status", [400, 404, 405, 413, 414, 418, 451])
async def test_a_4xx_with_a_page_is_a_refusal_by_its_status(status: int) -> None:
    async with Literally(PAGE, "text/html", status) as server, server.client() as client:
        error = await refused(client)
    assert isinstance(error, UnexpectedStatus)
    assert error.outcome is OutcomeKind.REJECTED
    assert error.code == str(status)
    assert error.status == status
    assert "Forbidden" not in str(error)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504, 599])
@pytest.mark.parametrize("body", [PAGE, b"", b'[{"Res":-3}]', b'[{"Res":1,"idMensaje":5}]'])
async def test_a_server_that_failed_may_have_sent(status: int, body: bytes) -> None:
    async with Literally(body, "text/html", status) as server, server.client() as client:
        error = await refused(client)
    assert type(error) is UnexpectedStatus
    assert error.outcome is OutcomeKind.UNKNOWN
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed_and_leaves_a_send_unknown(status: int) -> None:
    async with Literally(b"", None, status) as server, server.client() as client:
        error = await refused(client)
    assert error.outcome is OutcomeKind.UNKNOWN
    assert len(server.requests) == 1


async def test_429_says_that_nothing_was_done_so_it_is_tried_again(box: Sandbox) -> None:
    async with connect(box) as client:
        box.fail("mensatek", fault=Fault.RATE_LIMIT, retry_after=0, when="before", times=None)
        error = await refused(client)
        assert isinstance(error, RateLimited)
        assert error.outcome is OutcomeKind.NOT_SENT
        assert box.ledger.request_count() == 3
        box.clear_faults()
        box.fail("mensatek", fault=Fault.RATE_LIMIT, retry_after=0, when="before")
        assert (await client.send_sms([NUMBER], "Hola")).accepted == 1
    assert len(box.ledger) == 1


@pytest.mark.parametrize("function", ["GetReportSMS", "ListarFicheros", "GetCreditos", "GetPlantillasSMS"])
async def test_what_only_reads_is_tried_again(box: Sandbox, function: str) -> None:
    box.fail("mensatek", fault=Fault.CLOSE, when="before", times=2)
    async with connect(box) as client:
        if function == "GetReportSMS":
            with pytest.raises(AccessDenied):
                await CALLS[function](client)
        else:
            await CALLS[function](client)
    assert box.ledger.request_count(function) == 3


@pytest.mark.parametrize("function", ["EnviarSMS", "CancelarSMS", "ReprogramarSMS", "CargarFichero", "BorrarFichero"])
async def test_what_changes_something_is_never_tried_again(box: Sandbox, function: str) -> None:
    box.fail("mensatek", fault=Fault.CLOSE, when="before", times=None)
    async with connect(box) as client:
        error = await refused(client, function)
    assert error.outcome is OutcomeKind.UNKNOWN
    assert box.ledger.request_count() == 1


async def test_a_page_in_place_of_an_answer_is_looked_at_twice_by_what_reads(box: Sandbox) -> None:
    box.fail("mensatek", fault=Fault.HTML_PAGE, when="before", times=None)
    async with connect(box) as client:
        error = await refused(client, "GetCreditos")
    assert type(error) is UnexpectedResponse
    assert box.ledger.request_count() == 2
