"""Build the HTTP requests to EnvíaTuSMS, with the key, and read its answers and refusals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from attrs import evolve

from mensasdk import phone
from mensasdk.codec import Format, encode_json, folded_fields, parameters, structure, to_bool, to_known_id
from mensasdk.codes import Code
from mensasdk.errors import AmbiguousResponse, ConfigurationError, DecodeError, InvalidRequest, VendorError
from mensasdk.transport import Hook, HttpRequest, HttpResponse, RetryPolicy, Secret, Timeouts, Transport
from mensasdk.vendors.base import Call, VendorClient, check_secrets, presentable, words_of
from mensasdk.vendors.enviatusms import rules
from mensasdk.vendors.enviatusms.codes import refusal_kind
from mensasdk.vendors.enviatusms.convert import CONVERTER
from mensasdk.vendors.enviatusms.models import SendResult
from mensasdk.vendors.enviatusms.requests import GetCampaign, QuoteSms, SendSms

__all__ = ["EnviaTuSmsWire"]

T = TypeVar("T")


class EnviaTuSmsWire(VendorClient):
    """Part of `EnviaTuSmsClient` that builds HTTP requests and reads their answers."""

    vendor = rules.VENDOR

    def __init__(
        self,
        *,
        api_key: str,
        base_url: str,
        transport: Transport | None,
        timeouts: Timeouts | None,
        retry: RetryPolicy | None,
        hooks: Sequence[Hook],
    ) -> None:
        check_secrets(api_key=api_key)
        secret = Secret(api_key)
        if not secret or not api_key.isprintable() or " " in api_key:
            raise ConfigurationError(
                "api_key must not be empty, and must hold no blanks or control characters", vendor=self.vendor
            )
        super().__init__(base_url=base_url, transport=transport, timeouts=timeouts, retry=retry, hooks=hooks)
        self._api_key: Mapping[str, Secret] = {"api_key": secret}

    def _encode(self, call: Call[Any]) -> HttpRequest:
        path = f"campaign/{call.campaign_id}" if isinstance(call, GetCampaign) else call.function
        params = parameters(call)
        # Without Accept, PHP frameworks answer a bad request with a redirect to a page.
        headers = {"Accept": "application/json"}
        if not params:
            return HttpRequest("GET", f"{self.base_url}/{path}", headers, secret_query=self._api_key)
        headers["Content-Type"] = "application/json"
        return HttpRequest("POST", f"{self.base_url}/{path}", headers, encode_json(params), secret_query=self._api_key)

    def _understand(self, call: Call[T], response: HttpResponse, notes: list[str]) -> T:
        tree = self._tree(call, response, Format.JSON, notes)
        fields = folded_fields(tree)
        self._check_verdict(call, response.status, fields)
        answer: Any = structure(CONVERTER, tree, call.answer, vendor=self.vendor, notes=notes)
        if isinstance(call, SendSms):
            answer = self._sorted_out(call, answer)
        elif isinstance(call, GetCampaign):
            answer = evolve(answer, campaign_id=call.campaign_id)
        return answer  # type: ignore[no-any-return]  # `answer` is what Call[T] declares as its answer class

    def _check_verdict(self, call: Call[Any], status: int, fields: Mapping[str, Any]) -> None:
        """Raise the error for the answer, unless the answer says that all went well."""
        verdict = _verdict(call, fields)
        refused = verdict is False or (status >= 400 and verdict is None and _words(fields) != "")
        if refused and isinstance(call, SendSms) and (campaign := _id(fields)):
            raise AmbiguousResponse(
                f"{call.function} was refused, but the answer names campaign {campaign}; get_campaign tells whether it "
                "was made",
                vendor=self.vendor,
            )
        if refused:
            raise self._refusal(call, status, fields)
        if verdict is None:
            raise DecodeError(
                f"the answer to {call.function} says neither ok nor error in a documented way",
                vendor=self.vendor,
            )

    def _refusal(self, call: Call[Any], status: int, fields: Mapping[str, Any]) -> VendorError:
        text = f"{call.function} was refused"
        words = self._presentable(call, _words(fields))
        kind = refusal_kind(status, words)
        if words:
            text = f"{text}: {words}"
        fault = fields.get("sms_contenido")
        if isinstance(fault, str) and fault and isinstance(call, SendSms | QuoteSms):
            kind = InvalidRequest if kind is VendorError else kind
            text = f"{text} ({_whose(fault, call.text)})"
        return kind(text, vendor=self.vendor, code=str(status) if status >= 400 else "error")

    def _presentable(self, call: Call[Any], words: str) -> str:
        texts: list[str] = []
        if isinstance(call, SendSms | QuoteSms):
            for text in {call.text} if isinstance(call.text, str) else set(call.text):
                texts += (text, rules.without_accents(text))
        return presentable(words, self._api_key.values(), texts)

    def _sorted_out(self, call: SendSms, answer: SendResult) -> SendResult:
        """Sort the numbers of an answer into accepted, rejected and unknown ones, in the caller's spelling."""
        given = call.numbers if call.given is None or len(call.given) != len(call.numbers) else call.given
        sent = [_key(one) for one in call.numbers]
        ignored = {_key(one) for one in answer.ignored}
        ours = set(sent)
        unmatched = tuple(one for one in answer.ignored if _key(one) not in ours)
        rejected = tuple(name for name, one in zip(given, sent, strict=True) if one in ignored)
        rest = tuple(name for name, one in zip(given, sent, strict=True) if one not in ignored)
        if not rest and len(sent) == 1:
            raise InvalidRequest(
                f"the vendor ignored the number ({phone.mask(sent[0])}): it is no mobile number that the vendor "
                "serves; nothing is charged",
                vendor=self.vendor,
                code=Code.IGNORED,
            )
        if rest and answer.campaign_id is None:
            raise DecodeError("the answer says that messages were accepted, but has no id", vendor=self.vendor)
        # An ignored number that was not sent may be one of ours in an unknown spelling, or the vendor's mistake. None
        # of the other numbers can be called accepted then.
        return evolve(
            answer,
            accepted=() if unmatched else rest,
            rejected=rejected,
            unknown=rest if unmatched else (),
            unmatched=unmatched,
        )


def _key(number: str) -> str:
    return rules.canonical(number) or number.strip()


def _verdict(call: Call[Any], fields: Mapping[str, Any]) -> bool | None:
    """Return whether ``status`` (``success`` for short links) says ok; None where it says nothing documented."""
    said = {_ok(fields[name]) for name in ("status", "success") if fields.get(name) is not None}
    if {True, False} <= said:
        raise AmbiguousResponse("the answer says ok and error at once", vendor=rules.VENDOR)
    if False in said:
        return False
    if not said and isinstance(call, QuoteSms) and "precio_usd" in fields:
        return True  # a good quote has no status
    return True if said == {True} else None


def _ok(value: Any) -> bool | None:
    """Read ``ok`` or ``error``, or a flag, as a boolean; None for anything else."""
    if isinstance(value, str) and value.strip().lower() in {"ok", "error"}:
        return value.strip().lower() == "ok"
    try:
        return to_bool(value)
    except ValueError:
        return None


def _words(fields: Mapping[str, Any]) -> str:
    """Return the vendor's words about a refusal: ``msg``, ``error`` for short links, or its framework's ``message``."""
    return words_of(fields, "msg", "error", "message")


def _id(fields: Mapping[str, Any]) -> str | None:
    value = fields.get("campaign_id") or fields.get("id")
    try:
        return to_known_id(value)
    except ValueError:
        return None


def _whose(fault: str, text: str | Sequence[str]) -> str:
    """Name the text that the vendor calls faulty by its position, without quoting it."""
    if isinstance(text, str):
        return "the text is at fault"
    plain = rules.without_accents(fault).strip()
    places = [str(index) for index, one in enumerate(text) if rules.without_accents(one).strip() == plain]
    if not places:
        return "one of the texts is at fault"
    return f"at fault: text[{places[0]}]" if len(places) == 1 else f"at fault: {len(places)} texts, text[{places[0]}]"
