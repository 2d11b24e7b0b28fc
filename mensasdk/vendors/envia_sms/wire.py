"""What every call to envia-sms.com goes through: the token, the query, and what its answer means."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import tzinfo
from typing import Any, Final, TypeVar

from attrs import evolve

from mensasdk.arguments import check_flag
from mensasdk.codec import encode_query, parameters, structure
from mensasdk.codes import Code
from mensasdk.errors import (
    AmbiguousResponse,
    ConfigurationError,
    DecodeError,
    MensaError,
    OutcomeKind,
    ResponseError,
    UnexpectedResponse,
    VendorError,
)
from mensasdk.transport import Hook, HttpRequest, HttpResponse, RetryPolicy, Secret, Timeouts, Transport, scrub
from mensasdk.vendors.base import Call, VendorClient, check_secrets
from mensasdk.vendors.envia_sms import rules
from mensasdk.vendors.envia_sms.codes import refusal
from mensasdk.vendors.envia_sms.convert import converter_for, identifiers
from mensasdk.vendors.envia_sms.envelope import Envelope, open_envelope
from mensasdk.vendors.envia_sms.models import SendResult
from mensasdk.vendors.envia_sms.requests import ListCountries, SendCancel, SendSms

__all__ = ["EnviaSmsWire"]

T = TypeVar("T")

_TEST: Final = "pruebas_"
_SHORT_LINK: Final = "https://miurl.link/"
_link = re.compile(r"https?://\S", re.IGNORECASE).search
_digits = re.compile(r"\d(?:[\s.,()+-]?\d){4,}")


class EnviaSmsWire(VendorClient):
    """The part of `EnviaSmsClient` that knows the wire."""

    vendor = rules.VENDOR

    def __init__(
        self,
        *,
        token: str,
        test_mode: bool,
        time_zone: tzinfo,
        base_url: str,
        transport: Transport | None,
        timeouts: Timeouts | None,
        retry: RetryPolicy | None,
        hooks: Sequence[Hook],
    ) -> None:
        check_secrets(token=token)
        check_flag("test_mode", test_mode)
        if not token or not token.isprintable() or token != token.strip():
            raise ConfigurationError(
                "token must not be empty, nor hold control characters or blanks around it", vendor=self.vendor
            )
        if not isinstance(time_zone, tzinfo):
            raise ConfigurationError(
                'time_zone must be a time zone, such as ZoneInfo("America/Mexico_City")', vendor=self.vendor
            )
        super().__init__(base_url=base_url, transport=transport, timeouts=timeouts, retry=retry, hooks=hooks)
        # The document's own sample has the bare word in the token's place.
        is_test_token = token.startswith(_TEST) or token == _TEST.rstrip("_")
        self._token = Secret(token if is_test_token or not test_mode else _TEST + token)
        self._test_mode = test_mode or is_test_token
        self.time_zone = time_zone

    @property
    def test_mode(self) -> bool:
        """Nothing is really sent: it was asked for, or the token itself begins with ``pruebas_``."""
        return self._test_mode

    def _encode(self, call: Call[Any]) -> HttpRequest:
        params = parameters(call)
        if isinstance(call, SendSms):
            # The prefix keeps whatever name from taking another parameter's place.
            params |= {f"var_{name}": value for name, value in call.variables.items()}
        query = encode_query(params)
        url = f"{self.base_url}/{call.function}"
        return HttpRequest("GET", f"{url}?{query}" if query else url, secret_query={"token": self._token})

    def _understand(self, call: Call[T], response: HttpResponse, notes: list[str]) -> T:
        envelope = open_envelope(response, exact=not call.safe, vendor=self.vendor)
        notes += envelope.notes
        self._judge(call, envelope)
        if envelope.failed:
            notes.append("it tells of an error without a code, and has data")
        tree = {"response": envelope.content} if isinstance(call, ListCountries) else envelope.content
        if isinstance(call, ListCountries) and not isinstance(envelope.content, list | dict):
            raise DecodeError("unusable answer: it has no list of countries", vendor=self.vendor)
        if isinstance(call, SendCancel | SendSms) and envelope.is_empty:
            tree = {}  # it was done; what is missing are words, or an identifier, which is told apart below
        answer = structure(converter_for(self.time_zone), tree, call.answer, vendor=self.vendor, notes=notes)
        if isinstance(call, SendSms):
            if not answer.message_ids:
                raise DecodeError(
                    "the answer accepts a message and has no identificador", vendor=self.vendor, code=Code.NO_ID
                )
            answer = evolve(answer, links_shortened=_shortened(call, answer))
        return answer  # type: ignore[no-any-return]  # `answer` is what Call[T] declares as its answer class

    def _judge(self, call: Call[Any], envelope: Envelope) -> None:
        """Raise unless the envelope tells of success.

        A code other than zero is a refusal, whatever ``error`` says. ``error: true`` without a code is one unless data
        came along, as in the document's own sample of ``paises``; but for what sends or cancels it leaves doubt.
        """
        changes = isinstance(call, SendSms | SendCancel)
        if envelope.code:
            if isinstance(call, SendSms) and _has_identifier(envelope.content):
                raise AmbiguousResponse("the answer has an error code and an identifier", vendor=self.vendor)
            raise refusal(call.function, envelope.code, self._presentable(envelope.words), vendor=self.vendor)
        if envelope.failed and envelope.is_empty:
            words = self._presentable(envelope.words)
            raise VendorError(
                f"{call.function} failed without a code" + (f" ({words})" if words else ""),
                outcome=OutcomeKind.UNKNOWN,
                vendor=self.vendor,
            )
        if envelope.failed and changes:
            raise AmbiguousResponse("the answer tells of an error without a code, and has data", vendor=self.vendor)
        if changes and envelope.failed is None and envelope.code is None:
            raise DecodeError("the answer does not say whether it worked", vendor=self.vendor)
        if not envelope.whole:
            raise DecodeError("the answer lacks its end", vendor=self.vendor)

    def _refusal_of(self, call: Call[Any], response: HttpResponse) -> MensaError:
        # Status 400 comes with every documented error, and so with those after which an SMS may have gone out: it
        # proves nothing, only the code in its body does. A page, or JSON of somebody else's, does not come from the
        # vendor's application, which always answers with its own.
        if response.status == 400:
            try:
                self._understand(call, response, [])
            except (UnexpectedResponse, VendorError):
                pass
            except ResponseError as doubt:
                return doubt
        return super()._refusal_of(call, response)

    def _presentable(self, words: str) -> str:
        """The vendor's words without the token and without numbers, which they may quote."""
        bare = Secret(self._token.reveal().removeprefix(_TEST))
        words = scrub(words, (self._token, bare))
        return _digits.sub("***", " ".join(words.split()))[:120]


def _has_identifier(content: Any) -> bool:
    if isinstance(content, list) and len(content) == 1:
        content = content[0]
    return isinstance(content, dict) and any(
        name.casefold() == "identificador" and identifiers(value) for name, value in content.items()
    )


def _shortened(call: SendSms, answer: SendResult) -> bool | None:
    """Whether the vendor shortened the links, by the text that it says it sends."""
    links = [value.strip() for value in call.variables.values() if _link(value)]
    if not call.short_links or not links or answer.text is None:
        return None
    if any(link in answer.text for link in links):
        return False
    return True if _SHORT_LINK in answer.text else None
