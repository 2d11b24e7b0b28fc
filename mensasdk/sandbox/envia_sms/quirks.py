"""Quirks of the emulated envia-sms.com: deviations seen in one of the document's samples or left open by it."""

from __future__ import annotations

from typing import Literal, Self

from attrs import frozen

__all__ = ["DOCUMENTED", "Quirks"]


@frozen(kw_only=True)
class Quirks:
    r"""Deviations of the emulated envia-sms.com; all are off by default.

    Attributes:
        envelope: field names of code and message. ``"documented"``: each function has those of its own sample.
            ``"rotating"``: they change from answer to answer. Else all functions use those of this code field.
        codes: format of a code. ``"documented"``: a number in ``code_error``, else text as in the document's table;
            success as in the samples (``0``, ``""``, ``"0"``). ``"int"``, ``"string"`` and ``"padded"`` (at least two
            digits) apply to all codes. ``"empty"`` and ``"null"`` apply to code and message of a success only.
        error_true: a success has ``"error": true``: never, in paises only as in its sample, or always.
        error_response: ``response`` in a refusal is null, missing, ``[]`` or ``{}``.
        error_status: HTTP status of refusals.
        auth_status: HTTP status of the refusals 01 to 04 and 06. The codes 401, 403 and 500 always have themselves as
            HTTP status.
        identificador: ``identificador`` in the answer of send is ``{"0": id}``, a list or a string.
        no_date: ``fecha_programada`` of a message without a schedule is null or an empty string.
        bare_date: ``fecha_programada`` of a scheduled message has no quotes, which is not JSON.
        brackets: answers of send have ``[ ]`` in place of the outer ``{ }``, which is not JSON.
        missing_brace: the last closing brace is missing, which is not JSON.
        description_as_string: ``description`` of a status is a string, not a list.
        credits_as_number: ``creditos_disponibles`` and the prices are numbers, not strings.
        duplicate_answer: answer of send to a message that the duplicate filter drops: a new id, the id of the first
            message, no id (``identificador`` is ``[]``), no data (``response`` is null), or a refusal with the text
            ``Mensaje_duplicado`` and a code that the document does not have.
        duplicates_by_clock: the duplicate filter compares messages within an hour of the clock, such as 10:00 to 10:59,
            not within sixty minutes.
        bare_test_token: creditos_disponibles takes the token ``pruebas`` and answers 9999 credits, as in its sample.
        unicode_escapes: letters outside ASCII are written like ``\u00f3``.
        plain_slashes: ``/`` in answers is not written ``\/``.
        wrong_content_type: every answer has the content type ``text/html``.
        bom: answers begin with a UTF-8 byte order mark.
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
        """Return all quirks that a client can survive, switched on at once.

        These stay off: ``missing_brace``, because such an answer looks like one that was cut; ``error_true`` in all
        functions, and a duplicate without an id, because they leave no way to know whether a message was accepted; a
        refused duplicate; and ``duplicates_by_clock``, because the time of day then decides what a duplicate is.
        """
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
"""Quirks that are all off."""
