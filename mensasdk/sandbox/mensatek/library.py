"""File library: the functions CargarFichero, ListarFicheros and BorrarFichero."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mensasdk.sandbox.mensatek.account import LibraryFile
from mensasdk.sandbox.mensatek.dates import local
from mensasdk.sandbox.mensatek.params import Params
from mensasdk.sandbox.mensatek.refusals import Refused
from mensasdk.sandbox.mensatek.state import State
from mensasdk.sandbox.vendor import FilePart

__all__ = ["MAX_NAME", "delete", "listing", "upload"]

MAX_NAME = 15
_FORMATS = frozenset({"pdf", "doc", "docx", "xls", "xlsx", "vcf"})


def upload(state: State, params: Params) -> Mapping[str, Any]:
    """Answer CargarFichero: add a file to the library, or replace the file of the same name.

    Raises:
        Refused: -3, or -10 to -18 except -14; the library is unchanged.
    """
    account = state.account
    if account.trial:
        raise Refused(-18, Cred=account.credits)
    kind = params.text("Tipo").upper()
    name = params.text("Nombre")
    if kind == "BASE64":
        content = _from_base64(state, params, name)
    elif kind == "FILES":
        part = params.raw("Fichero")
        if not isinstance(part, FilePart) or not part.content:
            raise Refused(-13, Cred=account.credits)
        name, content = name or part.filename, part.content
    else:
        raise Refused(-15, Cred=account.credits)
    name, extension = _stored_name(name)
    if extension not in _FORMATS:
        raise Refused(-11, Cred=account.credits)
    if len(content) > account.max_file_bytes:
        raise Refused(-16, Cred=account.credits)
    others = [file for file in account.files.values() if file.name != name]
    if len(others) >= account.max_files or sum(len(file.content) for file in others) + len(content) > account.max_bytes:
        raise Refused(-10, Cred=account.credits)
    if account.upload_fails:
        raise Refused(-17, Cred=account.credits)
    account.files[name] = LibraryFile(name, content, datetime.now(UTC))
    return {"Res": 1, "Nombre": name, "Cred": account.credits}


def listing(state: State, params: Params) -> Mapping[str, Any]:
    """Answer ListarFicheros: all files, in the order of their upload."""
    rows = [
        {"Fecha": local(file.at), "Nombre": file.name, "Ext": file.name.rpartition(".")[2]}
        for file in state.account.files.values()
    ]
    return {"Res": 1, "Ficheros": rows, "Cred": state.account.credits}


def delete(state: State, params: Params) -> Mapping[str, Any]:
    """Answer BorrarFichero: remove a file from the library.

    Raises:
        Refused: -2 if there is no such file, -3 if no name is given.
    """
    name = params.text("Nombre", required=True)
    if state.account.files.pop(name, None) is None:
        raise Refused(-2, Cred=state.account.credits)
    return {"Res": 1, "Cred": state.account.credits}


def _from_base64(state: State, params: Params, name: str) -> bytes:
    encoded = params.text("Contenido")
    if not encoded:
        raise Refused(-12, Cred=state.account.credits)
    if not name:
        raise Refused(-3, Error="Falta parámetro obligatorio: Nombre")
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise Refused(-17, Cred=state.account.credits) from None


def _stored_name(name: str) -> tuple[str, str]:
    """Return the name under which a file is stored, and its extension.

    Only letters and digits stay. The stem is shortened, so that the name with its extension has 15 characters at most.
    """
    stem, _, extension = name.rpartition(".")
    extension = re.sub(r"[^A-Za-z0-9]", "", extension).lower()
    stem = re.sub(r"[^A-Za-z0-9]", "", stem)[: MAX_NAME - len(extension) - 1]
    if not stem or not extension:
        raise Refused(-3, Error="Nombre incorrecto: letras y cifras, con extensión")
    return f"{stem}.{extension}", extension
