"""Read multipart/form-data strictly, without repairing mistakes in it."""

from __future__ import annotations

from collections.abc import Mapping
from email.message import Message
from typing import Any

from mensasdk.sandbox.vendor import FilePart

__all__ = ["form_data"]


def form_data(body: bytes, boundary: str) -> Mapping[str, Any]:
    """Return the fields by name: text with a surrogate for each byte that is not UTF-8, or a `FilePart`.

    Raises:
        ValueError: the form is incomplete or malformed; the text is Spanish, as most vendors' texts are.
    """
    if not boundary:
        raise ValueError("multipart sin boundary")
    sections = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())
    if len(sections) < 2 or not sections[-1].startswith(b"--"):
        raise ValueError("multipart incompleto")
    fields: dict[str, Any] = {}
    for section in sections[1:-1]:
        head, separator, content = section.lstrip(b" \t").removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if not separator:
            raise ValueError("parte de multipart sin cabeceras")
        headers = Message()
        for line in head.decode("utf-8", "replace").split("\r\n"):
            name, _, value = line.partition(":")
            headers[name.strip()] = value.strip()
        field = headers.get_param("name", header="content-disposition")
        filename = headers.get_filename()
        if not isinstance(field, str):
            raise ValueError("parte de multipart sin nombre")
        if filename is None:
            fields[field] = content.decode("utf-8", "surrogateescape")
        else:
            fields[field] = FilePart(filename, headers.get_content_type(), content)
    return fields
