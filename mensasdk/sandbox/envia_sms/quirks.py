"""Ways in which answers differ, each seen in one of the document's own samples or left open by it."""

from __future__ import annotations

from typing import Literal, Self

from attrs import frozen

__all__ = ["DOCUMENTED", "Quirks"]


@frozen(kw_only=True)
class Quirks:
    """Deviations of the emulated envia-sms.com; all are off by default.

    Attributes:
        envelope: the spelling of code and message. ``"documented"``: each function has the one of its own sample;
            else all have the one of that code key, or a different one from answer to answer (``"rotating"``).
        codes: how a code is written. ``"documented"``: as a number beside ``code_error``, else as text as the table
            prints it, and success as in the samples (``0``, ``""``, ``"0"``). ``"int"``, ``"string"`` and
            ``"padded"`` (two digits at least) hold for all; ``"empty"`` and ``"null"`` for success only, its message
            included.
        error_true: successes say ``"error": true``: those of paises, as its sample does, or all.
        error_response: what ``response`` is in a refusal: null, not there, ``[]`` or ``{}``.
        error_status: HTTP status of refusals.
        auth_status: HTTP status of refusals 01 to 04 and 06. The codes 401, 403 and 500 always are their own status.
        identificador: how send gives the id: ``{"0": id}``, a list or a string.
        no_date: ``fecha_programada`` of a message that is not scheduled: null or an empty string.
        bare_date: ``fecha_programada`` of a scheduled message has no quotes, which is not JSON.
        brackets: answers of send have ``[ ]`` for the outer ``{ }``, which is not JSON.
        missing_brace: the last closing brace is missing, which is not JSON.
        description_as_string: ``description`` of a status is a string, not a list.
        credits_as_number: ``creditos_disponibles`` and the prices are numbers.
        duplicate_answer: what send answers for a message that the filter drops: a new id, the id of the message
            that went out, no id (``identificador`` is ``[]``), no data (``response`` is null), or a refusal with a
            code that the document does not have and the words ``Mensaje_duplicado``.
        duplicates_by_clock: the hour of the filter is one on the clock, from 10:00 to 10:59, and not the last sixty
            minutes.
        bare_test_token: creditos_disponibles takes the token ``pruebas`` and gives 9999 credits, as its sample does.
        unicode_escapes: letters outside ASCII as ``\\u00f3``.
        plain_slashes: ``/`` in answers is not written ``\\/``.
        wrong_content_type: everything comes as ``text/html``.
        bom: a UTF-8 byte order mark first.
    """

    envelope: Literal["documented", "code_error", "codigo_error", "error_code", "rotating"] = "documented"
    codes: Literal["documented", "int", "string", "padded", "empty", "null"] = "documented"
    error_true: Literal["never", "paises", "always"] = "never"
    error_response: Literal["null", "missing", "list", "object"] = "null"
    error_status: int = 400
    auth_status: int = 400
    identificador: Literal["object", "list", "string"] = "object"
    no_date: Literal["null", "empty"] = "null"
    bare_date: bool = False
    brackets: bool = False
    missing_brace: bool = False
    description_as_string: bool = False
    credits_as_number: bool = False
    duplicate_answer: Literal["new_id", "first_id", "no_id", "no_data", "refused"] = "new_id"
    duplicates_by_clock: bool = False
    bare_test_token: bool = False
    unicode_escapes: bool = False
    plain_slashes: bool = False
    wrong_content_type: bool = False
    bom: bool = False

    @classmethod
    def all(cls) -> Self:
        """Everything at once that a client can survive. Not in it: ``missing_brace``, which cannot be told from an
        answer that was cut, ``error_true`` for all functions and a duplicate without an id, which leave no way to
        know whether a message was taken, a refused duplicate, and ``duplicates_by_clock``, with which it depends on
        the time of day what a duplicate is."""
        return cls(
            envelope="rotating",
            codes="padded",
            error_true="paises",
            error_response="missing",
            auth_status=403,
            identificador="list",
            no_date="empty",
            bare_date=True,
            brackets=True,
            description_as_string=True,
            credits_as_number=True,
            duplicate_answer="first_id",
            bare_test_token=True,
            unicode_escapes=True,
            plain_slashes=True,
            wrong_content_type=True,
            bom=True,
        )


DOCUMENTED = Quirks()
"""No quirks."""
