"""The way of every call to the fifth vendor: the key, the body, and what its answer means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from fifth_vendor.models import CONVERTER
from fifth_vendor.requests import SendMessages
from mensasdk.codec import Format, encode_json, encode_query, folded_fields, parameters, structure
from mensasdk.errors import AuthError, ConfigurationError, DecodeError, InsufficientCredits, InvalidRequest, VendorError
from mensasdk.transport import Hook, HttpRequest, HttpResponse, RetryPolicy, Secret, Timeouts, Transport
from mensasdk.vendors.base import Call, VendorClient

__all__ = ["FifthWire"]

T = TypeVar("T")

_REFUSALS: Final[Mapping[str, type[VendorError]]] = {
    "bad_key": AuthError,
    "no_money": InsufficientCredits,
    "bad_request": InvalidRequest,
}


class FifthWire(VendorClient):
    """The part of `FifthClient` that knows the wire."""

    vendor = "fifth"

    def __init__(
        self,
        *,
        key: str,
        base_url: str,
        transport: Transport | None,
        timeouts: Timeouts | None,
        retry: RetryPolicy | None,
        hooks: Sequence[Hook],
    ) -> None:
        if not key or not key.isprintable():
            raise ConfigurationError("key is empty, or holds control characters", vendor=self.vendor)
        super().__init__(base_url=base_url, transport=transport, timeouts=timeouts, retry=retry, hooks=hooks)
        self._key: Mapping[str, Secret] = {"X-Key": Secret(key)}

    def _encode(self, call: Call[Any]) -> HttpRequest:
        url, params = f"{self.base_url}/{call.function}", parameters(call)
        if isinstance(call, SendMessages):
            kind = {"Content-Type": "application/json"}
            return HttpRequest("POST", url, kind, encode_json(params), secret_headers=self._key)
        return HttpRequest("GET", f"{url}?{encode_query(params)}" if params else url, secret_headers=self._key)

    def _understand(self, call: Call[T], response: HttpResponse, notes: list[str]) -> T:
        tree = self._tree(call, response, Format.JSON, notes)
        fields = folded_fields(tree)
        if fields.get("ok") is False:
            code = str(fields.get("error"))
            kind = _REFUSALS.get(code, VendorError)
            raise kind(f"{call.function} was refused: {code if code in _REFUSALS else 'unknown'}", code=code)
        if fields.get("ok") is not True:
            raise DecodeError("the answer does not say whether it went well", vendor=self.vendor)
        answer: Any = structure(CONVERTER, tree, call.answer, vendor=self.vendor, notes=notes)
        return answer  # type: ignore[no-any-return]  # `answer` is what Call[T] declares as its answer class
