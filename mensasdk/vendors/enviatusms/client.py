"""Client for EnvíaTuSMS.

Source: EnvíaTuSMS, "Documentación de la API" (www.enviatusms.com/desarrolladores).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from mensasdk import phone
from mensasdk.arguments import check_count, check_waits, not_this
from mensasdk.errors import AmbiguousResponse
from mensasdk.transport import NOT_GIVEN, Hook, NotGiven, RetryPolicy, Timeouts, Transport
from mensasdk.vendors.base import check_country
from mensasdk.vendors.enviatusms import rules
from mensasdk.vendors.enviatusms.batch import EnviaTuSmsBatch
from mensasdk.vendors.enviatusms.models import Balance, Campaign, Quote, SendResult, ShortLink
from mensasdk.vendors.enviatusms.requests import GetBalance, GetCampaign, QuoteSms, SendSms, ShortenUrl

__all__ = ["EnviaTuSmsClient"]

BASE_URL: Final = "https://www.enviatusms.com/api"
# The document gives no limit. With a few hundred, a broken connection makes only a few hundred messages UNKNOWN.
MAX_RECIPIENTS: Final = 500
CAMPAIGN_WAITS: Final = (0.0, 1.0, 3.0)


class EnviaTuSmsClient(EnviaTuSmsBatch):
    """Client for EnvíaTuSMS's API, with an ``api_key`` in the query of every call and JSON bodies.

    Args:
        api_key: from the account's page. It is added to the URL at the last moment and is in no log, hook or error.
        default_country: ISO 3166 alpha-2 code of the country that national numbers belong to; None to take
            international numbers only. In any case, the vendor sends to Venezuela only.
        max_recipients: maximum count of messages in one request of a batch. The document names no limit.
        campaign_waits: seconds to wait before each look at a campaign that tells which numbers the vendor took. The
            campaign may lag behind the answer by a moment.
        base_url: address of the API.
        transport: a transport to borrow; None to make one.
        timeouts: see `Timeouts`.
        retry: see `RetryPolicy`. Sends and short links are never repeated after their bytes have left: the vendor
            would make another campaign or link.
        hooks: functions that are called with each event; async hooks are awaited.

    The vendor publishes neither codes nor texts of errors. A refusal is an answer with ``status`` ``"error"``
    (``success`` false for short links), or a 4xx. Its HTTP status decides which error it becomes, and the vendor's
    words (``msg``, ``error``) are in the error's text, shortened and without numbers. All methods raise these errors,
    besides the errors that they name:
        AuthError: HTTP status 401 or 403; the ``api_key`` was refused. Stop then.
        InsufficientCredits: HTTP status 402.
        InvalidRequest: HTTP status 400 or 422.
        NotFound: HTTP status 404.
        VendorError: every other refusal, with ``code`` ``"error"`` where the HTTP status was 200. If the vendor's words
            speak of the balance or the key, it is InsufficientCredits or AuthError, so that a campaign stops.
        TransportError, ResponseError: see `mensasdk.errors`; ``outcome`` says what became of the request.
    """

    def __init__(
        self,
        api_key: str,
        *,
        default_country: str | None = rules.COUNTRY,
        max_recipients: int = MAX_RECIPIENTS,
        campaign_waits: Sequence[float] = CAMPAIGN_WAITS,
        base_url: str = BASE_URL,
        transport: Transport | None = None,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        hooks: Sequence[Hook] = (),
    ) -> None:
        check_count("max_recipients", max_recipients)
        super().__init__(
            api_key=api_key,
            base_url=base_url,
            transport=transport,
            timeouts=timeouts,
            retry=retry,
            hooks=hooks,
        )
        check_country(default_country)
        self.default_country = default_country
        self._max_recipients = max_recipients
        self._campaign_waits = check_waits("campaign_waits", campaign_waits)

    # ------------------------------------------------------------------------------------------------- functions

    async def get_balance(self, *, timeout: float | NotGiven = NOT_GIVEN) -> Balance:
        """Return the account's balance in US dollars, and how many SMS it pays for: ``GET /balance``.

        Args:
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.
        """
        return await self.execute(GetBalance(), timeout=timeout)

    async def send_sms(
        self,
        numbers: str | Iterable[str],
        text: str | Iterable[str],
        *,
        allow_duplicates: bool = False,
        timeout: float | NotGiven = NOT_GIVEN,
    ) -> SendResult:
        """Send one text to one or more numbers, or a text of its own to each number: ``POST /sms-multi``.

        The vendor sends at once: it makes a campaign and charges it right away. A campaign may have to pass the
        vendor's moderation (`Campaign.approved`); it counts as accepted all the same.

        Args:
            numbers: ``numeros``: Venezuelan mobile numbers in any common spelling (``584241234567``,
                ``04241234567``, ``4241234567``, ``+58 424-1234567``). They are sent as ``584241234567``.
            text: ``texto``: one text for all, or exactly one for each number, in the same order. At most 160 characters
                each. The vendor replaces letters with accents by plain ones, except ``é`` and ``É``.
            allow_duplicates: ``permitir_duplicados``: allow a number several times in ``numbers``, with different
                texts. Without it, a repeated number is refused here.
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

        Returns:
            The campaign's id, and the numbers that were accepted or rejected, in your own spelling. With several
            numbers ``accepted`` may be empty. Check ``unknown``, the numbers whose outcome is UNKNOWN: there are none,
            unless the vendor's answer names a number that was not sent.

        Raises:
            ValidationError: a value breaks a rule, a text has more than 160 characters, or there are not as many
                texts as numbers; NOT_SENT.
            InvalidRequest: the only number was ignored by the vendor (``code`` ``"ignored"``), or a text is at fault
                (``sms_contenido``; the error tells its position); REJECTED, nothing was sent.
            DecodeError: the answer says that messages were accepted, but has no id; UNKNOWN.
            AmbiguousResponse: the vendor took the only number but says that it ignored another one, or it refused the
                request but gave an id; UNKNOWN. `get_campaign` with the id in the error's text tells the outcome.
        """
        given = _listed(numbers)
        plain = self._numbers(given, allow_duplicates)
        texts = rules.check_texts(text, len(plain), limit=rules.MAX_TEXT)
        call = SendSms(numbers=plain, text=texts, allow_duplicates=allow_duplicates, given=given)
        result = await self.execute(call, timeout=timeout)
        if result.unknown and len(plain) == 1:
            raise AmbiguousResponse(
                f"the vendor made campaign {result.campaign_id} for one number, but says that it ignored a number that "
                "was not sent; get_campaign tells whether your number is in the campaign",
                vendor=self.vendor,
            )
        return result

    async def quote(
        self,
        numbers: str | Iterable[str],
        text: str | Iterable[str],
        *,
        allow_duplicates: bool = False,
        timeout: float | NotGiven = NOT_GIVEN,
    ) -> Quote:
        """Return the price of a send in US dollars, without sending anything: ``POST /sms-costo``.

        Args:
            numbers: as in `send_sms`.
            text: as in `send_sms`, but of any length. The document limits ``texto`` to 160 characters here too, but
                also says that a longer text counts as several parts. So a long text can be quoted, but not sent.
            allow_duplicates: as in `send_sms`.
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

        Raises:
            ValidationError: a value breaks a rule; nothing was sent.
        """
        plain = self._numbers(_listed(numbers), allow_duplicates)
        texts = rules.check_texts(text, len(plain), limit=None)
        return await self.execute(
            QuoteSms(numbers=plain, text=texts, allow_duplicates=allow_duplicates), timeout=timeout
        )

    async def get_campaign(self, campaign_id: str | int, *, timeout: float | NotGiven = NOT_GIVEN) -> Campaign:
        """Return the status of a campaign and of each of its numbers: ``GET /campaign/{id}``.

        This works for campaigns that were made in the vendor's panel too. The vendor has no callbacks: this is the only
        way to delivery reports.

        Args:
            campaign_id: ``id``, as `send_sms` returned it.
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

        Raises:
            ValidationError: ``campaign_id`` is no whole number above zero.
            NotFound: HTTP status 404, there is no such campaign.
        """
        return await self.execute(GetCampaign(campaign_id=rules.campaign_id(campaign_id)), timeout=timeout)

    async def shorten_url(self, link: str, *, timeout: float | NotGiven = NOT_GIVEN) -> ShortLink:
        """Make a short link under ``etsms.me``, whose clicks `get_campaign` counts: ``POST /acortar-url``.

        The vendor allows ten links a day. The client does not open the link. The link is not private: anybody with the
        short link has the long one too.

        Args:
            link: ``link``: a whole http or https URL, without a user name or password.
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

        Raises:
            ValidationError: ``link`` is no such URL; nothing was sent.
            VendorError: ``success`` is false; the error's text has the vendor's ``error``.
        """
        return await self.execute(ShortenUrl(link=rules.check_link(link)), timeout=timeout)

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
                "several different texts to it",
            )
        return plain


def _listed(numbers: str | Iterable[str]) -> list[str]:
    given: object = numbers
    if not isinstance(given, Iterable):
        what = 'a number or a list of numbers, such as ["+584241234567"]'
        raise rules.invalid("numbers", not_this("numbers", what, given))
    listed: list[str] = [numbers] if isinstance(numbers, str) else list(numbers)
    every: Sequence[object] = listed
    for index, one in enumerate(every):
        if not isinstance(one, str):
            raise rules.invalid("numbers", not_this(f"numbers[{index}]", "a number as text", one))
    return listed
