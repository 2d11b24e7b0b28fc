"""Read a callback (a vendor's POST to us): JSON or a form, as the customer chose, and not always as declared."""

from __future__ import annotations

from typing import Any

from mensasdk.codec.decode import Format, decode
from mensasdk.codec.form_body import decode_form
from mensasdk.errors import DecodeError

__all__ = ["decode_callback"]


def decode_callback(body: bytes, content_type: str, *, vendor: str) -> dict[str, Any]:
    """Read the body of a callback, which has to hold one object.

    Args:
        body: the body of the POST.
        content_type: ``Content-Type`` of the POST. It tells that the body is a form (and a multipart form cannot be
            read without it); JSON is recognised by the body itself.
        vendor: the vendor's short name, for errors.

    Returns:
        The fields of the object, or of the form, by their names.

    Raises:
        DecodeError: the body is not one object, or cannot be read. Nothing of the body stands in the message.
        UnexpectedResponse: the body is empty, or a web page.
    """
    kind = content_type.partition(";")[0].strip().lower()
    tree: Any
    if kind == "multipart/form-data" or (
        kind == "application/x-www-form-urlencoded" and not body.lstrip().startswith((b"{", b"["))
    ):
        tree = decode_form(body, content_type, vendor=vendor)
    else:
        tree = decode(body, expect=Format.JSON, content_type=content_type, vendor=vendor).tree
        if isinstance(tree, list) and len(tree) == 1:
            tree = tree[0]
    if not isinstance(tree, dict):
        raise DecodeError("the callback is not one object", vendor=vendor)
    return tree
