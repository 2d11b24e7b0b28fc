"""Read answers (bytes to plain trees of dicts and lists, trees to attrs classes), and write parameters to bytes."""

from __future__ import annotations

from mensasdk.codec.callback import decode_callback
from mensasdk.codec.convert import make_converter, parameters, raw_field, structure, wire
from mensasdk.codec.decode import Decoded, Format, decode
from mensasdk.codec.encode import FilePart, encode_form, encode_json, encode_multipart, encode_query
from mensasdk.codec.form_body import decode_form
from mensasdk.codec.keys import folded_fields
from mensasdk.codec.scalars import to_bool, to_decimal, to_id, to_int, to_known_id, to_str

__all__ = [
    "Decoded",
    "FilePart",
    "Format",
    "decode",
    "decode_callback",
    "decode_form",
    "encode_form",
    "encode_json",
    "encode_multipart",
    "encode_query",
    "folded_fields",
    "make_converter",
    "parameters",
    "raw_field",
    "structure",
    "to_bool",
    "to_decimal",
    "to_id",
    "to_int",
    "to_known_id",
    "to_str",
    "wire",
]
