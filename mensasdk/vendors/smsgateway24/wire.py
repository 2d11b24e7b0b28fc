"""Encode the requests to SmsGateWay24 with their token, and read its answers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from attrs import evolve

from mensasdk import phone
from mensasdk.codec import (
    FilePart,
    Format,
    encode_form,
    encode_json,
    encode_multipart,
    folded_fields,
    parameters,
    structure,
    to_int,
)
from mensasdk.codec.scalars import Blank
from mensasdk.errors import (
    AmbiguousResponse,
    AuthError,
    ConfigurationError,
    DeadlineExceeded,
    DecodeError,
    MensaError,
    OutcomeKind,
)
from mensasdk.transport import (
    NOT_GIVEN,
    Gate,
    Hook,
    HttpRequest,
    HttpResponse,
    NotGiven,
    RetryPolicy,
    Secret,
    Timeouts,
    Transport,
    scrub,
)
from mensasdk.vendors.base import Call, VendorClient, check_secrets, words_of
from mensasdk.vendors.smsgateway24 import rules
from mensasdk.vendors.smsgateway24.codes import refusal_kind
from mensasdk.vendors.smsgateway24.convert import CONVERTER, optional_identifier
from mensasdk.vendors.smsgateway24.models import SmsList
from mensasdk.vendors.smsgateway24.requests import AddALotOfSms, AddSms, GetToken, TokenCall
from mensasdk.vendors.smsgateway24.session import Session

__all__ = ["SmsGateway24Wire"]

T = TypeVar("T")

# The ids that an answer has when the vendor did something. With a refusal beside it, the answer contradicts itself.
_IDS: Final = ("sms_id", "tag_id", "contact_id", "paket_id")
_TOKEN_LIKE: Final = re.compile(r"[0-9A-Fa-f]{16,}|\S+@\S+")
_NUMBER_LIKE: Final = re.compile(r"\+?[0-9][0-9 ().-]{4,}[0-9]")


class SmsGateway24Wire(VendorClient):
    """Part of `SmsGateway24Client` that encodes requests and reads answers."""

    vendor = rules.VENDOR

    def __init__(
        self,
        *,
        token: str | None,
        email: str | None,
        password: str | None,
        base_url: str,
        transport: Transport | None,
        timeouts: Timeouts | None,
        retry: RetryPolicy | None,
        hooks: Sequence[Hook],
    ) -> None:
        given = {"token": token, "email": email, "password": password}
        check_secrets(**{name: value for name, value in given.items() if value is not None})
        if (email is None) is not (password is None):
            raise ConfigurationError("email and password belong together; give both or neither", vendor=self.vendor)
        if token is None and email is None:
            raise ConfigurationError("give a token, or email and password", vendor=self.vendor)
        if "" in (token, email, password):
            raise ConfigurationError("token, email and password must not be empty", vendor=self.vendor)
        super().__init__(base_url=base_url, transport=transport, timeouts=timeouts, retry=retry, hooks=hooks)
        self._email = None if email is None else Secret(email)
        self._password = None if password is None else Secret(password)
        self._session = Session(None if token is None else Secret(token), None if email is None else self._log_in)

    async def execute(
        self,
        call: Call[T],
        *,
        gate: Gate | None = None,
        deadline: float | None = None,
        timeout: float | NotGiven = NOT_GIVEN,
    ) -> T:
        """Send a request and return its answer; see `VendorClient.execute`.

        A request that needs a token and has none gets the client's. If the vendor refuses that token, the client logs
        in and sends the request once more. One deadline holds for all of this.
        """
        if not isinstance(call, TokenCall) or call.token is not None:
            return await super().execute(call, gate=gate, deadline=deadline, timeout=timeout)
        deadline = self._deadline(timeout, deadline)
        token = await self._in_time(self._session.token, deadline)
        try:
            return await super().execute(evolve(call, token=token), gate=gate, deadline=deadline)
        except AuthError as error:
            # A 403 may come from a firewall, and a new login would not change that.
            if not self._session.can_log_in or error.code == "403":
                raise
        token = await self._in_time(lambda: self._session.renew(token), deadline)
        return await super().execute(evolve(call, token=token), gate=gate, deadline=deadline)

    async def _in_time(self, login: Callable[[], Awaitable[Secret]], deadline: float) -> Secret:
        try:
            async with asyncio.timeout_at(deadline):
                return await login()
        except TimeoutError:
            pass
        raise DeadlineExceeded(
            "the time allowed ran out while logging in", outcome=OutcomeKind.NOT_SENT, vendor=self.vendor
        )

    async def _log_in(self) -> Secret:
        assert self._email is not None  # the session has this function only if there are credentials
        assert self._password is not None
        return (await super().execute(GetToken(email=self._email, password=self._password))).token

    def _encode(self, call: Call[Any]) -> HttpRequest:
        params = parameters(call)
        content_type = "application/x-www-form-urlencoded"
        if isinstance(call, AddALotOfSms):
            body = encode_form({"datajson": encode_json(params).decode()})
        elif isinstance(call, AddSms) and call.image is not None:
            extension, media_type = rules.image_type(call.image)
            # The image will be public, so the name of the user's file is not sent.
            part = FilePart("file", f"image.{extension}", call.image, media_type)
            body, content_type = encode_multipart(params, [part])
        else:
            body = encode_form(params)
        return HttpRequest("POST", f"{self.base_url}/{call.function}", {"Content-Type": content_type}, body)

    def _understand(self, call: Call[T], response: HttpResponse, notes: list[str]) -> T:
        tree = self._tree(call, response, Format.JSON, notes)
        fields: Mapping[str, Any] = {}
        if isinstance(tree, dict):
            if not tree:
                raise DecodeError("the answer is an empty object", vendor=self.vendor)
            fields = folded_fields(tree)
            code = self._error_flag(fields)
            if code:
                raise self._refusal(call, code, fields)
            if not isinstance(call, GetToken):
                # The document lists a token among the fields of other answers. It must not stay in their `raw`.
                tree = {key: value for key, value in tree.items() if str(key).lower() != "token"}
        answer = structure(CONVERTER, tree, call.answer, vendor=self.vendor, notes=notes)
        if isinstance(answer, SmsList) and answer.count and not answer.messages and not fields.get("smss"):
            raise DecodeError("the answer counts messages, but has no list of them", vendor=self.vendor)
        return answer  # type: ignore[no-any-return]  # `answer` is what Call[T] declares as its answer class

    def _error_flag(self, fields: Mapping[str, Any]) -> int:
        """Read ``error``: 0 or 1; 0 where it is missing, as in ``getalldevices``.

        Then the other fields show whether the vendor did anything.
        """
        value = fields.get("error")
        try:
            return to_int(value)
        except Blank:
            return 0
        except ValueError:
            pass
        raise DecodeError("unusable answer: error is neither 0 nor 1", vendor=self.vendor)

    def _refusal(self, call: Call[Any], code: int, fields: Mapping[str, Any]) -> MensaError:
        for name in _IDS:
            if fields.get(name) is not None and not call.safe and _is_id(fields[name]):
                return AmbiguousResponse(f"the answer reports an error, but has {name}", vendor=self.vendor)
        # Secrets are masked before the cut, so that no half of one remains. The cut limits the time of the next steps.
        words = self._scrubbed(words_of(fields, "message"), call)[:2000]
        ours = tuple(_texts(call))
        # Our own texts may have the words that mark a refusal of the token, so they are taken out first. But a short
        # text may be part of any sentence, so it stays.
        kind = refusal_kind(_without(words, (text for text in ours if len(text) > 5)))
        text = _presentable(_without(words, ours))
        return kind(
            f"{call.function} was refused with error={code}: {text or 'no reason given'}",
            vendor=self.vendor,
            code=str(code),
        )

    def _scrubbed(self, words: str, call: Call[Any]) -> str:
        token = call.token if isinstance(call, TokenCall) else None
        return scrub(words, (token, self._password, self._email))


def _presentable(words: str) -> str:
    """Return the vendor's words, at most 120 characters, with tokens, e-mail addresses and phone numbers masked."""
    text = _TOKEN_LIKE.sub("***", " ".join(words.split()))
    return _NUMBER_LIKE.sub(lambda match: phone.mask(match[0]), text)[:120]


def _texts(call: Call[Any]) -> Iterator[str]:
    """Yield the texts that the caller wrote in a request."""
    for item in call.items if isinstance(call, AddALotOfSms) else (call,):
        for name in ("text", "title", "full_name"):
            text = getattr(item, name, None)
            if text:
                yield text


def _without(words: str, pieces: Iterable[str]) -> str:
    for piece in pieces:
        words = words.replace(piece, "***")
    return words


def _is_id(value: Any) -> bool:
    try:
        return optional_identifier(value) is not None
    except ValueError:
        return True
