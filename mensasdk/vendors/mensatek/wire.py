"""Build the HTTP requests to Mensatek, with the credentials, and read its answers and refusals."""

from __future__ import annotations

import base64
import mimetypes
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, TypeVar

from mensasdk.codec import (
    FilePart,
    Format,
    encode_form,
    encode_json,
    encode_multipart,
    folded_fields,
    parameters,
    structure,
    to_decimal,
    to_int,
)
from mensasdk.errors import (
    AmbiguousResponse,
    ConfigurationError,
    DecodeError,
    InsufficientCredits,
    InvalidRequest,
    VendorError,
)
from mensasdk.transport import Hook, HttpRequest, HttpResponse, RetryPolicy, Secret, Timeouts, Transport
from mensasdk.vendors.base import Call, VendorClient, check_secrets, presentable, words_of
from mensasdk.vendors.mensatek import rules
from mensasdk.vendors.mensatek.codes import REFUSALS
from mensasdk.vendors.mensatek.convert import CONVERTER
from mensasdk.vendors.mensatek.models import SendResult
from mensasdk.vendors.mensatek.requests import GetCredits, SendSms, UploadFile

__all__ = ["AnswerFormat", "BodyFormat", "MensatekWire"]

T = TypeVar("T")
AnswerFormat = Literal["json", "xml", "txt"]
BodyFormat = Literal["json", "form"]


class MensatekWire(VendorClient):
    """Part of `MensatekClient` that builds HTTP requests and reads their answers."""

    vendor = rules.VENDOR

    def __init__(
        self,
        *,
        api_user: str,
        api_token: str,
        answer_format: AnswerFormat,
        body_format: BodyFormat,
        base_url: str,
        transport: Transport | None,
        timeouts: Timeouts | None,
        retry: RetryPolicy | None,
        hooks: Sequence[Hook],
    ) -> None:
        check_secrets(api_user=api_user, api_token=api_token)
        if not api_user or not api_token:
            raise ConfigurationError("api_user and api_token must not be empty", vendor=self.vendor)
        if ":" in api_user or not (api_user + api_token).isprintable():
            raise ConfigurationError(
                "api_user must hold no colon, and api_user and api_token no control characters", vendor=self.vendor
            )
        if answer_format not in list(Format):
            raise ConfigurationError('answer_format must be "json", "xml" or "txt"', vendor=self.vendor)
        if body_format not in ("json", "form"):
            raise ConfigurationError('body_format must be "json" or "form"', vendor=self.vendor)
        super().__init__(base_url=base_url, transport=transport, timeouts=timeouts, retry=retry, hooks=hooks)
        token = base64.b64encode(f"{api_user}:{api_token}".encode()).decode()
        self._authorization: Mapping[str, Secret] = {"Authorization": Secret(f"Basic {token}")}
        self._secrets = (Secret(token), Secret(api_token), Secret(api_user))
        self._answer_format = Format(answer_format)
        self._form = body_format == "form"

    def _encode(self, call: Call[Any]) -> HttpRequest:
        params: dict[str, Any] = parameters(call)
        params["Resp"] = self._answer_format.value.upper()
        if isinstance(call, UploadFile):
            if call.base64:
                params["Contenido"] = base64.b64encode(call.content).decode()
            else:
                kind = mimetypes.guess_type(call.name)[0] or "application/octet-stream"
                body, content_type = encode_multipart(params, [FilePart("Fichero", call.name, call.content, kind)])
                return self._post(call, body, content_type)
        if self._form:
            return self._post(call, encode_form(params), "application/x-www-form-urlencoded")
        return self._post(call, encode_json(params), "application/json")

    def _post(self, call: Call[Any], body: bytes, content_type: str) -> HttpRequest:
        # All parameters go in the body. The document allows the query too, but parameters there were seen to break the
        # authentication, and a query ends up in logs.
        return HttpRequest(
            "POST",
            f"{self.base_url}/{call.function}",
            {"Content-Type": content_type},
            body,
            secret_headers=self._authorization,
        )

    def _understand(self, call: Call[T], response: HttpResponse, notes: list[str]) -> T:
        tree = self._tree(call, response, self._answer_format, notes)
        fields = folded_fields(tree)
        code = _result_code(tree, fields, call.function)
        if code is not None and code < 0:
            raise self._refusal(call, code, fields)
        if not isinstance(tree, dict):
            raise DecodeError("unusable answer: it is not an object", vendor=self.vendor)
        answer = structure(CONVERTER, tree, call.answer, vendor=self.vendor, notes=notes)
        if isinstance(answer, SendResult) and answer.accepted > 0 and answer.message_id in {None, "", "0"}:
            raise DecodeError("the answer says that messages were accepted, but has no id", vendor=self.vendor)
        return answer  # type: ignore[no-any-return]  # `answer` is what Call[T] declares as its answer class

    def _refusal(self, call: Call[Any], code: int, fields: Mapping[str, Any]) -> VendorError:
        kind, meaning = REFUSALS[call.function].get(code, (VendorError, "a refusal that the document does not name"))
        text = f"{call.function} was refused with Res={code}: {meaning}"
        if kind is InsufficientCredits:
            return InsufficientCredits(
                text,
                needed=_decimal(fields, "creditosnecesarios", "crednecesarios"),
                available=_decimal(fields, "cred", "saldo", "creditos"),
                vendor=self.vendor,
                code=str(code),
            )
        # The vendor's own words help, but may quote what we sent: they are shortened, and shown only where documented.
        words = self._presentable(call, words_of(fields, "error")) if kind is InvalidRequest else ""
        return kind(f"{text} ({words})" if words else text, vendor=self.vendor, code=str(code))

    def _presentable(self, call: Call[Any], words: str) -> str:
        texts: set[str] = set()
        if isinstance(call, SendSms):
            values = [value for recipient in call.recipients for name, value in recipient.items() if name != "Movil"]
            texts = {call.text, *values}
        return presentable(words, self._secrets, texts)


def _result_code(tree: Any, fields: Mapping[str, Any], function: str) -> int | None:
    """Return ``Res`` (``Resp`` in old answers) as an integer, None where there is none.

    A bare ``-1``, and a balance of -1 as the answer to ``GetCreditos``, are old forms of a refusal.
    """
    if not isinstance(tree, dict):
        return _integer(tree)
    new, old = fields.get("res"), fields.get("resp")
    if new is None:
        # In answers to other functions, a balance of -1 may be a debt.
        if old is None and function == GetCredits.function and _decimal(fields, "cred") == -1:
            return -1
        return _integer(old)
    code = _integer(new)
    if code is not None and _integer(old) not in {None, code}:
        raise AmbiguousResponse("the answer has two results that differ, Res and Resp", vendor=rules.VENDOR)
    return code


def _integer(value: Any) -> int | None:
    if value is None or value.__class__ is int:
        return value
    try:
        return to_int(value)
    except ValueError:
        return None


def _decimal(fields: Mapping[str, Any], *names: str) -> Decimal | None:
    for name in names:
        value = fields.get(name)
        if value is not None:
            try:
                return to_decimal(value)
            except ValueError:
                return None
    return None
