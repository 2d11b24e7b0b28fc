"""Encode the requests to envia-sms.com, and read its answers."""

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
    """Part of `EnviaSmsClient` that encodes requests and reads answers."""

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
                "token must not be empty, and must not have control characters or blanks around it", vendor=self.vendor
            )
        if not isinstance(time_zone, tzinfo):
            raise ConfigurationError(
                'time_zone must be a time zone, such as ZoneInfo("America/Mexico_City")', vendor=self.vendor
            )
        super().__init__(base_url=base_url, transport=transport, timeouts=timeouts, retry=retry, hooks=hooks)
        # The document's own sample has the bare word ``pruebas`` as its token.
        is_test_token = token.startswith(_TEST) or token == _TEST.rstrip("_")
        self._token = Secret(token if is_test_token or not test_mode else _TEST + token)
        self._test_mode = test_mode or is_test_token
        self.time_zone = time_zone

    @property
    def test_mode(self) -> bool:
        """Tell whether the client is in test mode, in which the vendor sends nothing.

        It is with ``test_mode=True``, and with a token that begins with ``pruebas_``.
        """
        return self._test_mode

    def _encode(self, call: Call[Any]) -> HttpRequest:
        params = parameters(call)
        if isinstance(call, SendSms):
            # The prefix keeps the name of a variable from replacing another parameter.
            params |= {f"var_{name}": value for name, value in call.variables.items()}
        query = encode_query(params)
        url = f"{self.base_url}/{call.function}"
        return HttpRequest("GET", f"{url}?{query}" if query else url, secret_query={"token": self._token})

    def _understand(self, call: Call[T], response: HttpResponse, notes: list[str]) -> T:
        envelope = open_envelope(response, exact=not call.safe, vendor=self.vendor)
        notes += envelope.notes
        self._judge(call, envelope)
        if envelope.failed:
            notes.append("it reports an error without a code, but has data")
        tree = {"response": envelope.content} if isinstance(call, ListCountries) else envelope.content
        if isinstance(call, ListCountries) and not isinstance(envelope.content, list | dict):
            raise DecodeError("unusable answer: it has no list of countries", vendor=self.vendor)
        if isinstance(call, SendCancel | SendSms) and envelope.is_empty:
            tree = {}  # the vendor did it; a missing identifier is refused below
        answer = structure(converter_for(self.time_zone), tree, call.answer, vendor=self.vendor, notes=notes)
        if isinstance(call, SendSms):
            if not answer.message_ids:
                raise DecodeError(
                    "the answer accepts the message, but has no identificador", vendor=self.vendor, code=Code.NO_ID
                )
            answer = evolve(answer, links_shortened=_shortened(call, answer))
        return answer  # type: ignore[no-any-return]  # `answer` is what Call[T] declares as its answer class

    def _judge(self, call: Call[Any], envelope: Envelope) -> None:
        """Refuse an answer whose envelope does not report a success.

        A code other than zero is a refusal, whatever ``error`` says. ``error: true`` without a code is an error if the
        answer has no data. With data it is a success, as in the document's sample of ``paises``, but UNKNOWN for
        requests that send or cancel.
        """
        changes = isinstance(call, SendSms | SendCancel)
        if envelope.code:
            if isinstance(call, SendSms) and _has_identifier(envelope.content):
                raise AmbiguousResponse("the answer has an error code, but also an identifier", vendor=self.vendor)
            raise refusal(call.function, envelope.code, self._presentable(envelope.words), vendor=self.vendor)
        if envelope.failed and envelope.is_empty:
            words = self._presentable(envelope.words)
            raise VendorError(
                f"{call.function} failed without a code" + (f" ({words})" if words else ""),
                outcome=OutcomeKind.UNKNOWN,
                vendor=self.vendor,
            )
        if envelope.failed and changes:
            raise AmbiguousResponse("the answer reports an error without a code, but has data", vendor=self.vendor)
        if changes and envelope.failed is None and envelope.code is None:
            raise DecodeError("the answer does not say whether it worked", vendor=self.vendor)
        if not envelope.whole:
            raise DecodeError("the answer is incomplete: its end is missing", vendor=self.vendor)

    def _refusal_of(self, call: Call[Any], response: HttpResponse) -> MensaError:
        # Every documented error has status 400, also those after which an SMS may have gone out. So the status proves
        # nothing, and the code in the body decides. A web page, or JSON that is not the vendor's, does not come from
        # the vendor's application, so it is a refusal by its status.
        if response.status == 400:
            try:
                self._understand(call, response, [])
            except (UnexpectedResponse, VendorError):
                pass
            except ResponseError as doubt:
                return doubt
        return super()._refusal_of(call, response)

    def _presentable(self, words: str) -> str:
        """Return the vendor's words, at most 120 characters, with the token and all long numbers masked."""
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
    """Return whether the vendor shortened the links, by the text in its answer; None where that shows nothing."""
    links = [value.strip() for value in call.variables.values() if _link(value)]
    if not call.short_links or not links or answer.text is None:
        return None
    if any(link in answer.text for link in links):
        return False
    return True if _SHORT_LINK in answer.text else None
