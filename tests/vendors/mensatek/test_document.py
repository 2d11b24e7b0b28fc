"""The tables in ``docs/vendors/mensatek.md`` leave out nothing that the vendor's document states, and add nothing."""

from __future__ import annotations

import ast
import importlib
import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import attrs
import pytest

from mensasdk.vendors import mensatek
from mensasdk.vendors.mensatek.codes import REFUSALS, StatusCode

TESTS = Path(__file__).parents[2]
DOCUMENT = (TESTS.parent / "docs" / "vendors" / "mensatek.md").read_text(encoding="utf-8")

# Taken from the vendor's document, not from our models. `Resp` and `Res`, which all functions have, stand apart.
PARAMETERS: dict[str, list[str]] = {
    "EnviarSMS": [
        *("Remitente", "Destinatarios", "Movil", "Variable_1", "Variable_10", "Mensaje", "Fecha", "Referenciausuario"),
        *("Report", "Idmensaje", "Fail2voice", "Lenguajevoz", "Remitentevoz", "Unicode", "Obviarlistanegra"),
        "Fixutf8",
    ],
    "CancelarSMS": ["Idmensaje"],
    "ReprogramarSMS": ["Idmensaje", "Fecha"],
    "GetReportSMS": ["Idmensaje"],
    "CargarFichero": ["Nombre", "Tipo", "Contenido", "Autoborrado"],
    "ListarFicheros": [],
    "BorrarFichero": ["Nombre"],
    "GetCreditos": [],
    "GetPlantillasSMS": [],
}
ANSWERS: dict[str, list[str]] = {
    "EnviarSMS": [
        *("Error", "Destinatarios", "Msgid", "idMensaje", "Cred", "Mensajes", "NoEnviados", "CreditosUsados"),
        "CreditosNecesarios",
    ],
    "CancelarSMS": ["Error", "IDMENSAJE", "CRED", "CREDR"],
    "ReprogramarSMS": ["Error", "Cred"],
    "GetReportSMS": [
        *("Error", "Destinatarios", "Cred", "Informe", "Fecha", "Tiempo", "Telefono", "Resultado", "Estado"),
    ],
    "CargarFichero": ["Nombre", "Error", "Cred"],
    "ListarFicheros": ["Error", "Ficheros", "Fecha", "Nombre", "Ext", "Cred"],
    "BorrarFichero": ["Error", "Cred"],
    "GetCreditos": ["Cred"],
    "GetPlantillasSMS": ["Total", "Plantillas"],
}
LIBRARY = [-10, -11, -12, -13, -15, -16, -17, -18]
RESULTS: dict[str, list[int]] = {
    "EnviarSMS": [-1, -2, -3],
    "CancelarSMS": [-1, -2, -3, -4, -5],
    "ReprogramarSMS": [-1, -2, -3, -4, -5, -6, -7],
    "GetReportSMS": [1, -1, -2, -3, -4],
    "CargarFichero": [1, -1, -3, *LIBRARY],
    "ListarFicheros": [1, -1, -3, *LIBRARY],
    "BorrarFichero": [1, -1, -2, -3],  # -3 in the description of `Error` only
    "GetCreditos": [1, -1],
    "GetPlantillasSMS": [1, -1, -3],
}
STATUSES = [
    *(0, 1, 2, 10, 11, 13, 14, 15, 16, 17, 50, 51, 52, 53, 54, 55, 70),
    *(101, 102, 103, 104, 106, 110, 111, 112, 113, 120, 121, 122, 123, 124, 125, 126),
    *(130, 131, 132, 133, 134, 135, 136, 137, 140, 141, 150, 160, 161, 162, 163, 180, 181, 190, 195),
    *(1000, 1001, 1002, 1003, 5000),
]
CALLBACKS: dict[str, list[str]] = {
    "SMSMASIVO": [
        *("Servicio", "Resultado", "Remitente", "Movil", "Fecha", "Segundos", "idMensaje", "Referencia", "idReport"),
        "Variables",
    ],
    "SMSRECIBIDO": [
        *("Servicio", "timestamp", "Fecha", "Movil", "Remitente", "Mensaje", "idR", "idM", "EsCert", "Referencia"),
    ],
}

_quoted = re.compile(r"`([^`]+)`").findall
_reference = re.compile(r"`([\w/]+\.py)::(\w+)`").findall
SECTIONS = ["Requests", "Answers", "Result codes", "Statuses", "Callbacks", "Names that the document does not have"]


@cache
def rows(section: str) -> list[list[str]]:
    """Return the cells of each row of a section's table, without its head."""
    text = DOCUMENT.partition(f"\n### {section}\n")[2].partition("\n### ")[0]
    table = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def named(section: str) -> dict[str, list[str]]:
    """Return the names of the second column, by function or callback."""
    found: dict[str, list[str]] = {}
    for functions, cell, *_ in rows(section):
        for function in _quoted(functions):
            found.setdefault(function, []).extend(_quoted(cell))
    return found


def test_the_table_has_each_parameter_of_each_function_and_no_other() -> None:
    values = {"FILES", "BASE64", "Resp"}
    assert {function: set(names) - values for function, names in named("Requests").items()} == {
        function: set(names) for function, names in PARAMETERS.items()
    }
    assert "`Resp`" in " ".join(cell for function, cell, *_ in rows("Requests") if function == "all")


def test_the_table_has_each_field_of_each_answer_and_no_other() -> None:
    assert {function: set(names) for function, names in named("Answers").items()} == {
        function: set(names) for function, names in ANSWERS.items()
    }
    assert "`Res`" in " ".join(cell for function, cell, *_ in rows("Answers") if function == "all")


def test_the_table_has_each_result_code_of_each_function_and_no_other() -> None:
    assert {function: sorted(map(int, codes)) for function, codes in named("Result codes").items()} == {
        function: sorted(codes) for function, codes in RESULTS.items()
    }
    counted = {_quoted(function)[0] for function, code, *_ in rows("Result codes") if code == "above 0"}
    assert counted == {"EnviarSMS", "CancelarSMS", "ReprogramarSMS"}


def test_the_table_gives_each_refusal_the_error_that_it_becomes() -> None:
    for functions, code, meaning, becomes, _ in rows("Result codes"):
        if functions != "all" and code.startswith("`-"):
            kind, text = REFUSALS[_quoted(functions)[0]][int(_quoted(code)[0])]
            assert (becomes, meaning) == (f"`{kind.__name__}`", text)


def test_the_table_has_each_of_the_57_statuses_and_no_other() -> None:
    assert len(STATUSES) == len(set(STATUSES)) == 57
    assert [code for code, *_ in rows("Statuses")] == [*(f"`{code}`" for code in STATUSES), "any other"]


def test_the_table_gives_each_status_the_name_and_state_that_it_has() -> None:
    for code, _, name, state, final, temporary, _ in rows("Statuses")[:-1]:
        status = StatusCode(int(_quoted(code)[0]))
        assert (name, state) == (f"`{status.name}`", status.state.name)
        assert (final, temporary) == ("yes" if status.is_final else "", "yes" if status.is_temporary else "")


def test_the_table_has_each_field_of_each_callback_and_no_other() -> None:
    assert {callback: sorted(names) for callback, names in named("Callbacks").items()} == {
        callback: sorted(names) for callback, names in CALLBACKS.items()
    }


@cache
def asynchronous(file: str) -> frozenset[str]:
    path = TESTS.parent / file if file.startswith("tests/") else Path(__file__).parent / file
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef))


@pytest.mark.parametrize("section", SECTIONS)
def test_each_row_names_a_test_that_goes_over_a_socket(section: str) -> None:
    """Of this vendor's tests the asynchronous ones do: a client or a receiver is at work in each of them."""
    assert rows(section)
    for row in rows(section):
        assert any(name in asynchronous(file) for file, name in _reference(row[-1])), row


def test_the_sections_are_all_there_in_this_order() -> None:
    places = [DOCUMENT.index(f"\n### {section}\n") for section in SECTIONS]
    assert all(before < after for before, after in pairwise(places))


def test_the_document_has_each_name_that_the_models_read_or_write() -> None:
    names: set[str] = set()
    for module in ("requests", "models", "callbacks"):
        loaded = importlib.import_module(f"mensasdk.vendors.mensatek.{module}")
        for public in loaded.__all__:
            if attrs.has(cls := getattr(loaded, public)):
                for attribute in attrs.fields(cls):
                    names.update(attribute.metadata.get("mensasdk.wire", ()))
    assert names >= {"Remitente", "Sobrescrito", "EsCert", "idEnvio"}
    assert {name for name in names if f"`{name}`" not in DOCUMENT} == set()


@pytest.mark.parametrize("name", mensatek.__all__)
def test_everything_public_is_documented(name: str) -> None:
    assert (getattr(mensatek, name).__doc__ or "").strip()


METHODS = {
    "EnviarSMS": "send_sms",
    "CancelarSMS": "cancel_sms",
    "ReprogramarSMS": "reschedule_sms",
    "GetReportSMS": "get_report",
    "CargarFichero": "upload_file",
    "ListarFicheros": "list_files",
    "BorrarFichero": "delete_file",
    "GetCreditos": "get_credits",
    "GetPlantillasSMS": "list_templates",
}


@pytest.mark.parametrize("function", PARAMETERS)
def test_each_function_has_a_method_that_names_it(function: str) -> None:
    assert f"``{function}``" in (getattr(mensatek.MensatekClient, METHODS[function]).__doc__ or "")
