"""The client for EnvíaTuSMS.

Source: EnvíaTuSMS, "Documentación de la API" (www.enviatusms.com/desarrolladores).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from attrs import evolve

from mensasdk import phone
from mensasdk.codec import Format, encode_json, parameters, structure, to_bool
from mensasdk.errors import AmbiguousResponse, ConfigurationError, DecodeError, InvalidRequest, VendorError
from mensasdk.transport import Hook, HttpRequest, HttpResponse, RetryPolicy, Secret, Timeouts, Transport, scrub
from mensasdk.vendors.base import Call
from mensasdk.vendors.enviatusms import rules
from mensasdk.vendors.enviatusms.batch import EnviaTuSmsBulk
from mensasdk.vendors.enviatusms.codes import refusal_kind
from mensasdk.vendors.enviatusms.models import (
    CONVERTER,
    Balance,
    Campaign,
    GetBalance,
    GetCampaign,
    Quote,
    QuoteSms,
    SendResult,
    SendSms,
    ShortenUrl,
    ShortLink,
    campaign_id,
)

__all__ = ["EnviaTuSmsClient"]

T = TypeVar("T")

BASE_URL: Final = "https://www.enviatusms.com/api"
# The document has no figure. A few hundred keep what a broken connection makes UNKNOWN within bounds.
MAX_RECIPIENTS: Final = 500
_MAX_WORDS: Final = 120
# A shorter one may be a part of the vendor's own words by chance; it is no code that anybody would send.
_SHORTEST_TEXT: Final = 4
_LONG_NUMBER = re.compile(r"\+?[0-9](?:[ .()-]{0,2}[0-9]){6,}")


class EnviaTuSmsClient(EnviaTuSmsBulk):
    """EnvíaTuSMS's API: an ``api_key`` in the query of every call, JSON bodies.

    Args:
        api_key: from the account's page. It is added to the URL at the last moment and is in no log, hook or error.
        default_country: ISO 3166 alpha-2 code of the country that national numbers belong to; None to take
            international numbers only. Whatever it is, the vendor sends to Venezuela only.
        max_recipients: most messages in one request of a batch. The document names no limit.
        base_url: ``https://www.enviatusms.com/api``.
        transport: a transport to borrow; None for an own one.
        timeouts: see `Timeouts`.
        retry: see `RetryPolicy`. Sends and short links are never repeated after their bytes have left: the vendor
            makes another campaign of each.
        hooks: called with each event.

    The vendor publishes neither codes nor texts of errors. A refusal is an answer with ``status`` ``"error"``
    (``success`` false for short links), or a 4xx; its HTTP status decides which error it becomes, and the vendor's
    words (``msg``, ``error``) are in the error's text, shortened and without numbers. So every method raises these,
    besides what it names itself:
        AuthError: status 401 or 403; the ``api_key`` was refused. Do not go on.
        InsufficientCredits: status 402.
        InvalidRequest: status 400 or 422.
        NotFound: status 404.
        VendorError: every other refusal, with ``code`` ``"error"`` where the HTTP status was 200. One whose words speak
            of the balance or the key is InsufficientCredits or AuthError, so that a campaign stops.
        TransportError, ResponseError: see `mensasdk.errors`; ``outcome`` says what became of the request.
    """

    vendor = rules.VENDOR

    def __init__(
        self,
        api_key: str,
        *,
        default_country: str | None = rules.COUNTRY,
        max_recipients: int = MAX_RECIPIENTS,
        base_url: str = BASE_URL,
        transport: Transport | None = None,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        hooks: Sequence[Hook] = (),
    ) -> None:
        secret = Secret(api_key)
        if not secret or not api_key.isprintable() or " " in api_key:
            raise ConfigurationError("api_key is empty, or holds blanks or control characters", vendor=self.vendor)
        if max_recipients < 1:
            raise ConfigurationError("max_recipients must be 1 or more", vendor=self.vendor)
        self._api_key: Mapping[str, Secret] = {"api_key": secret}
        super().__init__(base_url=base_url, transport=transport, timeouts=timeouts, retry=retry, hooks=hooks)
        self.default_country = default_country
        self._max_recipients = max_recipients

    # ------------------------------------------------------------------------------------------------- functions

    async def get_balance(self) -> Balance:
        """Ask for the account's balance in US dollars, and how many SMS it pays for: ``GET /balance``."""
        return await self.execute(GetBalance())

    async def send_sms(
        self, numbers: str | Iterable[str], text: str | Iterable[str], *, allow_duplicates: bool = False
    ) -> SendResult:
        """Send one text to one or many numbers, or a text of its own to each, at once: ``POST /sms-multi``.

        The vendor makes a campaign of it and charges it right away. A campaign may have to pass the vendor's
        moderation (`Campaign.approved`); the vendor has accepted it all the same.

        Args:
            numbers: ``numeros``: Venezuelan mobile numbers in any common spelling (``584241234567``,
                ``04241234567``, ``4241234567``, ``+58 424-1234567``). They are sent as ``584241234567``.
            text: ``texto``: one for all, or exactly one for each number, in the same order. At most 160 characters
                each. The vendor replaces letters with accents by plain ones, except ``é`` and ``É``.
            allow_duplicates: ``permitir_duplicados``: the same number may stand in ``numbers`` several times, with
                different texts. Without it a repeated number is refused here.

        Returns:
            The campaign's id, and which numbers were accepted or rejected, in your own spelling. With several numbers
            ``accepted`` may be empty. Look at ``in_doubt``: it is empty unless the vendor's answer names a number
            that was not sent.

        Raises:
            ValidationError: a value breaks a rule, a text has more than 160 characters, or there are not as many
                texts as numbers; NOT_SENT.
            InvalidRequest: the only number was ignored by the vendor (``code`` ``"ignored"``), or a text is at fault
                (``sms_contenido``; the error tells its position); REJECTED, nothing was sent.
            DecodeError: the answer accepts and has no id; UNKNOWN.
            AmbiguousResponse: the vendor took the only number and says that it ignored another one, or it refuses and
                gives an id; UNKNOWN. `get_campaign` with the id in the error's text tells.
        """
        given = _listed(numbers)
        plain = self._numbers(given, allow_duplicates)
        texts = rules.check_texts(text, len(plain), limit=rules.MAX_TEXT)
        call = SendSms(numbers=plain, text=texts, allow_duplicates=allow_duplicates, given=given)
        result = await self.execute(call)
        if result.in_doubt and len(plain) == 1:
            raise AmbiguousResponse(
                f"the vendor made campaign {result.campaign_id} for one number, and ignored another that was not sent; "
                "get_campaign tells whether yours is in it",
                vendor=self.vendor,
            )
        return result

    async def quote(
        self, numbers: str | Iterable[str], text: str | Iterable[str], *, allow_duplicates: bool = False
    ) -> Quote:
        """Ask what a send would cost, in US dollars; nothing is sent: ``POST /sms-costo``.

        Args:
            numbers: as in `send_sms`.
            text: as in `send_sms`, but of any length. The document limits ``texto`` to 160 characters here as well,
                and in the same breath says that a longer text counts as several parts; so a quote is not refused for
                its length, and a send is.
            allow_duplicates: as in `send_sms`.

        Raises:
            ValidationError: a value breaks a rule; nothing was sent.
        """
        plain = self._numbers(_listed(numbers), allow_duplicates)
        texts = rules.check_texts(text, len(plain), limit=None)
        return await self.execute(QuoteSms(numbers=plain, text=texts, allow_duplicates=allow_duplicates))

    async def get_campaign(self, campaign_id: str | int) -> Campaign:
        """Ask where a campaign and each of its numbers stand: ``GET /campaign/{id}``.

        Campaigns that were made in the vendor's panel can be asked for, too. There are no callbacks: this is the only
        way to delivery reports.

        Args:
            campaign_id: ``id``, as `send_sms` returned it.

        Raises:
            ValidationError: ``campaign_id`` is no number.
            NotFound: status 404, there is no such campaign.
        """
        return await self.execute(GetCampaign(campaign_id=rules.campaign_id(campaign_id)))

    async def shorten_url(self, link: str) -> ShortLink:
        """Make a short link under ``etsms.me``, whose clicks `get_campaign` counts: ``POST /acortar-url``.

        The vendor allows ten a day. The link is neither opened by us nor private: who has the short one has both.

        Args:
            link: ``link``: a whole http or https URL, without a user name or password.

        Raises:
            ValidationError: ``link`` is no such URL; nothing was sent.
            VendorError: ``success`` is false; its text has the vendor's ``error``.
        """
        return await self.execute(ShortenUrl(link=rules.check_link(link)))

    def _numbers(self, given: Sequence[str], allow_duplicates: bool) -> list[str]:
        if not given:
            raise rules.invalid("numbers", "numbers is empty; give at least one number")
        plain = [rules.number(one, self.default_country, field="numbers").e164[1:] for one in given]
        if not allow_duplicates and len(set(plain)) < len(plain):
            seen: set[str] = set()
            twice = next(one for one in plain if one in seen or seen.add(one))  # type: ignore[func-returns-value]
            raise rules.invalid(
                "numbers",
                f"numbers holds {phone.mask(twice)} more than once; remove it, or pass allow_duplicates=True to send "
                "it several different texts",
            )
        return plain

    # ------------------------------------------------------------------------------------------------- on the wire

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
        fields = {str(key).lower(): value for key, value in tree.items()} if isinstance(tree, dict) else {}
        self._check_verdict(call, response.status, fields)
        answer: Any = structure(CONVERTER, tree, call.answer, vendor=self.vendor, notes=notes)
        if isinstance(call, SendSms):
            answer = self._sorted_out(call, answer)
        elif isinstance(call, GetCampaign):
            answer = evolve(answer, campaign_id=call.campaign_id)
        return answer  # type: ignore[no-any-return]  # `answer` is what Call[T] declares as its answer class

    def _check_verdict(self, call: Call[Any], status: int, fields: Mapping[str, Any]) -> None:
        """Raise what the answer stands for, unless it says that all went well."""
        verdict = _verdict(call, fields)
        refused = verdict is False or (status >= 400 and verdict is None and _words(fields) != "")
        if refused and isinstance(call, SendSms) and (campaign := _id(fields)):
            raise AmbiguousResponse(
                f"{call.function} was refused, and campaign {campaign} was made for it", vendor=self.vendor
            )
        if refused:
            raise self._refusal(call, status, fields)
        if verdict is None:
            raise DecodeError(
                f"the answer to {call.function} does not say in a documented way whether it went well",
                vendor=self.vendor,
            )

    def _refusal(self, call: Call[Any], status: int, fields: Mapping[str, Any]) -> VendorError:
        text = f"{call.function} was refused"
        words = self._redacted(call, _words(fields))
        kind = refusal_kind(status, words)
        if words:
            text = f"{text}: {words}"
        fault = fields.get("sms_contenido")
        if isinstance(fault, str) and fault and isinstance(call, SendSms | QuoteSms):
            kind = InvalidRequest if kind is VendorError else kind
            text = f"{text} ({_whose(fault, call.text)})"
        return kind(text, vendor=self.vendor, code=str(status) if status >= 400 else "error")

    def _redacted(self, call: Call[Any], words: str) -> str:
        """The vendor's words without our key, our texts and phone numbers, and then short."""
        words = scrub(words, self._api_key.values())
        if isinstance(call, SendSms | QuoteSms):
            for text in {call.text} if isinstance(call.text, str) else set(call.text):
                for form in (text, rules.without_accents(text)):
                    if len(form) >= _SHORTEST_TEXT:
                        words = words.replace(form, "(text)")
        words = _LONG_NUMBER.sub(lambda match: phone.mask(match[0]), words)
        return " ".join(words.split())[:_MAX_WORDS]

    def _sorted_out(self, call: SendSms, answer: SendResult) -> SendResult:
        """Who was accepted and who was not, in the caller's spelling."""
        given = call.numbers if call.given is None or len(call.given) != len(call.numbers) else call.given
        sent = [_key(one) for one in call.numbers]
        ignored = {_key(one) for one in answer.ignored}
        ours = set(sent)
        unmatched = tuple(one for one in answer.ignored if _key(one) not in ours)
        rejected = tuple(name for name, one in zip(given, sent, strict=True) if one in ignored)
        rest = tuple(name for name, one in zip(given, sent, strict=True) if one not in ignored)
        if not rest and len(sent) == 1:
            raise InvalidRequest(
                f"the vendor ignored the number ({phone.mask(sent[0])}): no mobile number that it serves; nothing is "
                "charged",
                vendor=self.vendor,
                code="ignored",
            )
        if rest and answer.campaign_id is None:
            raise DecodeError("the answer tells of accepted messages and has no id for them", vendor=self.vendor)
        # An ignored number that was not sent is one of ours in a form that cannot be told, or a slip of the vendor's.
        # Nobody who is left can then be called accepted.
        return evolve(
            answer,
            accepted=() if unmatched else rest,
            rejected=rejected,
            in_doubt=rest if unmatched else (),
            unmatched=unmatched,
        )


def _listed(numbers: str | Iterable[str]) -> list[str]:
    return [numbers] if isinstance(numbers, str) else list(numbers)


def _key(number: str) -> str:
    return rules.canonical(number) or number.strip()


def _verdict(call: Call[Any], fields: Mapping[str, Any]) -> bool | None:
    """What ``status``, or ``success`` of short links, says; None for what the document does not know."""
    said = {_ok(fields[name]) for name in ("status", "success") if fields.get(name) is not None}
    if {True, False} <= said:
        raise AmbiguousResponse("the answer says ok and error at once", vendor=rules.VENDOR)
    if False in said:
        return False
    if not said and isinstance(call, QuoteSms) and "precio_usd" in fields:
        return True  # a quote says nothing of itself
    return True if said == {True} else None


def _ok(value: Any) -> bool | None:
    """``ok`` and ``error``, or a flag."""
    if isinstance(value, str) and value.strip().lower() in {"ok", "error"}:
        return value.strip().lower() == "ok"
    try:
        return to_bool(value)
    except ValueError:
        return None


def _words(fields: Mapping[str, Any]) -> str:
    """What the vendor says about a refusal: ``msg``, or ``error`` of short links, or ``message`` of its framework."""
    for name in ("msg", "error", "message"):
        value = fields.get(name)
        if isinstance(value, str) and value.strip():
            return value
    return ""


def _id(fields: Mapping[str, Any]) -> str | None:
    value = fields.get("campaign_id") or fields.get("id")
    try:
        return campaign_id(value)
    except ValueError:
        return None


def _whose(fault: str, text: str | Sequence[str]) -> str:
    """Which text the vendor names, without quoting it."""
    if isinstance(text, str):
        return "the text is at fault"
    plain = rules.without_accents(fault).strip()
    places = [str(index) for index, one in enumerate(text) if rules.without_accents(one).strip() == plain]
    if not places:
        return "one of the texts is at fault"
    return f"at fault: text[{places[0]}]" if len(places) == 1 else f"at fault: {len(places)} texts, text[{places[0]}]"
