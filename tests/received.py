"""Requests as they arrived, read by the standard library: what a client writes is not judged by its own codec."""

from __future__ import annotations

import json
import re
from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from attrs import frozen


@frozen
class File:
    """One file part of a form."""

    filename: str | None
    content_type: str
    content: bytes


@frozen
class Received:
    """One request, as its bytes came in."""

    head: bytes
    body: bytes

    @property
    def method(self) -> str:
        return self.head.split(b" ", 1)[0].decode()

    @property
    def target(self) -> str:
        return self.head.split(b" ", 2)[1].decode("ascii")

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def function(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The query, in order."""
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True, strict_parsing=True, errors="strict")

    @property
    def headers(self) -> dict[str, str]:
        """Names in lower case; a name that stands there twice fails the test."""
        pairs = [line.split(": ", 1) for line in self.head.decode("latin-1").split("\r\n")[1:]]
        found = {name.lower(): value for name, value in pairs}
        assert len(found) == len(pairs)
        return found

    def header(self, name: str) -> str | None:
        found = re.search(rb"(?im)^" + re.escape(name.encode()) + rb":[ \t]*(.*?)\r?$", self.head)
        return found[1].decode() if found else None

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        """The fields of the form, each of which must be there once."""
        if self.headers["content-type"] == "application/x-www-form-urlencoded":
            pairs = parse_qsl(self.body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
        else:
            pairs = [(name, part.decode()) for name, part in self._parts() if isinstance(part, bytes)]
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    @property
    def files(self) -> dict[str, File]:
        return {name: part for name, part in self._parts() if isinstance(part, File)}

    @property
    def datajson(self) -> Any:
        """The content of ``datajson``, which must be the only field of the form."""
        form = self.form
        assert list(form) == ["datajson"]
        return json.loads(form["datajson"])

    def _parts(self) -> list[tuple[str, bytes | File]]:
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        message = message_from_bytes(head + self.body)
        assert message.is_multipart()
        parts: list[tuple[str, bytes | File]] = []
        for part in message.walk():
            if part is message:
                continue
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            name = part.get_param("name", header="content-disposition")
            assert isinstance(name, str)
            if part.get_filename() is None:
                parts.append((name, content))
            else:
                parts.append((name, File(part.get_filename(), part.get_content_type(), content)))
        return parts
