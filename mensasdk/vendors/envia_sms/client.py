"""Send and manage SMS with envia-sms.com's "API SMS".

Source: envia-sms.com, "API SMS" (5 August 2022); where this document is silent, public client code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Final, Literal

from mensasdk import phone
from mensasdk.errors import ConfigurationError
from mensasdk.preflight.prices import Prices
from mensasdk.transport import NOT_GIVEN, Hook, NotGiven, RetryPolicy, Timeouts, Transport
from mensasdk.vendors.base import check_country
from mensasdk.vendors.envia_sms import rules
from mensasdk.vendors.envia_sms.batch import EnviaSmsBatch
from mensasdk.vendors.envia_sms.models import ActionResult, Country, SendResult, StatusReport
from mensasdk.vendors.envia_sms.requests import GetCredits, GetStatus, ListCountries, SendCancel

__all__ = ["EnviaSmsClient", "Plan"]

BASE_URL: Final = "https://envia-sms.com/api/sms"

Plan = Literal["free", "starter", "basic", "intermediate", "professional"]

_PLANS: Final[tuple[Plan, ...]] = ("free", "starter", "basic", "intermediate", "professional")


class EnviaSmsClient(EnviaSmsBatch):
    """Client for envia-sms.com's "API SMS" (Mexico), which sends SMS from templates only.

    Every request is a GET, also those that send. A request to send that may have arrived is never repeated, not even
    when the connection drops. The token stands last in the query, and shows in no log, error or ``repr``.

    Args:
        token: the project's token, from the vendor's panel.
        test_mode: put ``pruebas_`` in front of the token (once): no SMS is sent and no credit is spent.
        time_zone: the vendor's time zone, for schedules and for the dates in answers. Default: UTC-5, the offset in
            the document. The document calls it "central Mexico", which was right in the summer of 2022; since October
            2022 central Mexico is at UTC-6 all year. If the vendor follows the place and not the offset, schedules
            are an hour off: then give ``ZoneInfo("America/Mexico_City")``.
        default_country: ISO 3166 alpha-2 code of the country of national numbers, such as ``"MX"``; None to take
            international numbers only.
        base_url: ``https://envia-sms.com/api/sms``.
        transport: a transport that you share and close yourself; None to let the client make and close its own.
        timeouts: see `Timeouts`.
        retry: see `RetryPolicy`. Only `get_status` and `get_credits` are ever repeated after their bytes have left.
        hooks: functions that are called with each event, and awaited if they are async.

    Every method can raise these, besides the errors that it names. ``code`` is as the document prints it, ``"05"``:
        AddressBlocked: 01, your IP address is blocked for misuse; 04, the project is suspended. Stop sending.
        AuthError: 02, 03, 06 (token or project), 401, 403. Stop sending: misuse gets the IP address blocked.
        InsufficientCredits: 05.
        InvalidRequest: 400.
        VendorError: 500, and codes that the document does not name; ``outcome`` is UNKNOWN.
        TransportError, ResponseError: see `mensasdk.errors`; ``outcome`` says what became of the request.

    Raises:
        ConfigurationError: the token is empty, or has control characters or blanks around it; ``time_zone`` is no time
            zone; or another argument has the wrong type.
        ValidationError: there is no country ``default_country``.
    """

    def __init__(
        self,
        token: str,
        *,
        test_mode: bool = False,
        time_zone: tzinfo = rules.DOCUMENTED_ZONE,
        default_country: str | None = None,
        base_url: str = BASE_URL,
        transport: Transport | None = None,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        hooks: Sequence[Hook] = (),
    ) -> None:
        super().__init__(
            token=token,
            test_mode=test_mode,
            time_zone=time_zone,
            base_url=base_url,
            transport=transport,
            timeouts=timeouts,
            retry=retry,
            hooks=hooks,
        )
        check_country(default_country)
        self.default_country = default_country

    # ------------------------------------------------------------------------------------------------- functions

    async def send_sms(
        self,
        number: str,
        template: str,
        *,
        variables: Mapping[str, str] | None = None,
        schedule_at: datetime | None = None,
        unicode: bool = False,
        allow_duplicates: bool = False,
        short_links: bool = False,
        timeout: float | NotGiven = NOT_GIVEN,
    ) -> SendResult:
        """Send one SMS from a template, now or later: ``send``.

        Args:
            number: ``numero``: the recipient's number in any common spelling; sent as ``52,5589520028``.
            template: ``plantilla``: the id of a template of your own or of a general one. It is a text: ``"01"`` is
                not ``"1"``.
            variables: ``var_{name}``: a value for each variable of the template, by name, with or without ``var_`` in
                front. The panel sets whether a variable takes a text or a URL. The vendor ignores names that the
                template does not have.
            schedule_at: ``fecha_programar``: aware datetime in the future. Sent in the client's ``time_zone``, with
                fractions of a second rounded up. The document says that scheduling fails in test mode (106), but has
                an example in which it works.
            unicode: ``ucs2``: allow any character, at most 500; every 70 count as a message. Without it, at most 160
                characters of 7 bits.
            allow_duplicates: ``duplicado``: send the message even if the same text went to the same number within the
                hour. Without it the vendor drops the second one; its answer to that is not documented.
            short_links: ``short_link``: shorten links in variables to ``https://miurl.link/…``. This must be enabled
                in the account's profile. If it is not, the vendor sends the long links and reports no error; see
                `SendResult.links_shortened`.
            timeout: seconds for the whole call; `Timeouts.total` by default.

        Returns:
            The answer, with the identifier for the other methods, and the text that the vendor sends.

        Raises:
            ValidationError: a value breaks a rule; NOT_SENT.
            ScheduleError: ``schedule_at`` is naive, in the past, or in a clock change; NOT_SENT.
            InvalidRequest: number 07 08 103 104 111 122 123; schedule 106 108; template 130 131 132; variables 133 134
                136; content 102 113 119 124 125 135; 114 115 116 118 121. REJECTED.
            NotFound: 129 the template was not found; REJECTED.
            AccessDenied: 137 the template belongs to another account; REJECTED.
            VendorError: 109 and 117, the vendor failed while sending; 107 110 112 120 126 127 128, for which the
                document only says "contact support". UNKNOWN: an SMS may have been sent.
            DecodeError: the answer has no identifier, or cannot be read; UNKNOWN.
            AmbiguousResponse: the answer reports an error, but has an identifier or data; UNKNOWN.
        """
        return await self.execute(
            self._send_call(
                phone.parse(number, default_country=self.default_country, field="number"),
                template,
                rules.template_variables({} if variables is None else variables),
                schedule_at=schedule_at,
                unicode=unicode,
                allow_duplicates=allow_duplicates,
                short_links=short_links,
            ),
            timeout=timeout,
        )

    async def cancel_scheduled(self, message_id: str, *, timeout: float | NotGiven = NOT_GIVEN) -> ActionResult:
        """Cancel a scheduled message: ``send_cancel`` with ``tipo=cancel``.

        Args:
            message_id: ``identificador``, as `send_sms` returned it. ``"*"`` is refused: see `cancel_all_scheduled`.
            timeout: seconds for the whole call; `Timeouts.total` by default.

        Raises:
            ValidationError: ``message_id`` is no identifier; nothing was sent.
            InvalidRequest: 301, 302: a parameter did not arrive.
            NotFound: 303, no such identifier; 304, no such scheduled message: it may have been sent already.
        """
        return await self.execute(SendCancel(action="cancel", message_id=rules.message_id(message_id)), timeout=timeout)

    async def cancel_all_scheduled(self, *, timeout: float | NotGiven = NOT_GIVEN) -> ActionResult:
        """Cancel all scheduled messages of the project: ``send_cancel`` with ``tipo=cancel``, ``identificador=*``.

        Args:
            timeout: seconds for the whole call; `Timeouts.total` by default.

        Raises:
            NotFound: 303, 304: no message is scheduled.
        """
        return await self.execute(SendCancel(action="cancel", message_id="*"), timeout=timeout)

    async def send_scheduled_now(self, message_id: str, *, timeout: float | NotGiven = NOT_GIVEN) -> ActionResult:
        """Send a scheduled message at once: ``send_cancel`` with ``tipo=send``.

        Args:
            message_id: ``identificador``, as `send_sms` returned it. ``"*"`` is refused: see `send_all_scheduled_now`.
            timeout: seconds for the whole call; `Timeouts.total` by default.

        Raises:
            ValidationError: ``message_id`` is no identifier; nothing was sent.
            InvalidRequest: 301, 302: a parameter did not arrive.
            NotFound: 303, no such identifier; 304, no such scheduled message: it may have been sent already.
        """
        return await self.execute(SendCancel(action="send", message_id=rules.message_id(message_id)), timeout=timeout)

    async def send_all_scheduled_now(self, *, timeout: float | NotGiven = NOT_GIVEN) -> ActionResult:
        """Send all scheduled messages of the project at once: ``send_cancel`` with ``tipo=send``, ``identificador=*``.

        Args:
            timeout: seconds for the whole call; `Timeouts.total` by default.

        Raises:
            NotFound: 303, 304: no message is scheduled.
        """
        return await self.execute(SendCancel(action="send", message_id="*"), timeout=timeout)

    async def get_status(self, message_id: str, number: str, *, timeout: float | NotGiven = NOT_GIVEN) -> StatusReport:
        """Get the delivery status of a message: ``status_message``.

        The call only reads, so it is repeated when the network fails.

        Args:
            message_id: ``identificador``, as `send_sms` returned it.
            number: ``numero``: the recipient's number in any common spelling. (The document says "remitente", sender,
                but its example has the recipient.)
            timeout: seconds for the whole call; `Timeouts.total` by default.

        Raises:
            ValidationError: ``message_id`` or ``number`` breaks a rule; nothing was sent.
            InvalidRequest: 302, the identifier did not arrive; 07 and 08, the country of the number.
            NotFound: 303, no such identifier; 601, no such number; 602, no status.
        """
        identifier = rules.message_id(message_id)
        parsed = phone.parse(number, default_country=self.default_country, field="number")
        return await self.execute(GetStatus(message_id=identifier, number=rules.numero(parsed)), timeout=timeout)

    async def list_countries(self, *, timeout: float | NotGiven = NOT_GIVEN) -> tuple[Country, ...]:
        """List the countries that the vendor sends to, with prices: ``paises``.

        **Each call costs one credit.** So it is not repeated once its bytes have left, and a network error with the
        outcome UNKNOWN may have cost the credit. The vendor does not offer this list in test mode.

        Args:
            timeout: seconds for the whole call; `Timeouts.total` by default.

        Raises:
            ConfigurationError: the client is in test mode; nothing was sent.
        """
        if self.test_mode:
            raise ConfigurationError(
                "the vendor does not list countries in test mode; make a client without test_mode, and with a token "
                "that does not begin with pruebas_",
                vendor=self.vendor,
            )
        return (await self.execute(ListCountries(), timeout=timeout)).countries

    async def prices(
        self,
        plan: Plan | None = None,
        *,
        default: Decimal | str | int | None = None,
        timeout: float | NotGiven = NOT_GIVEN,
    ) -> Prices:
        """Return the vendor's price list as a table for `Estimate` and `Budget`, from one call of `list_countries`.

        **It costs one credit.** Keep the result instead of calling this for each campaign. A country that the list
        lacks takes the highest price of the countries that share its calling code.

        Args:
            plan: the package that the account has bought, which decides the prices (``"free"`` is the vendor's
                ``precio_gratis``). No function of the API returns it. None for the highest price of each country, so
                that no estimate and no cap is too low.
            default: the price for all other numbers; None for no price.
            timeout: seconds for the whole call; `Timeouts.total` by default.

        Raises:
            ValidationError: there is no such plan, or ``default`` is no amount; nothing was sent.
            ConfigurationError: the client is in test mode; nothing was sent.
        """
        if plan is not None and plan not in _PLANS:
            raise rules.invalid("plan", f"plan must be one of {', '.join(_PLANS)}, or None for the highest prices")
        default = Prices({}, default=default).default  # a bad amount is refused here, before a credit is spent
        return Prices.from_list(
            [
                (country.code, country.calling_code, _price(country, plan))
                for country in await self.list_countries(timeout=timeout)
            ],
            default=default,
        )

    async def get_credits(self, *, timeout: float | NotGiven = NOT_GIVEN) -> Decimal:
        """Return the project's credits: ``creditos_disponibles``.

        The call only reads, so it is repeated when the network fails.

        Args:
            timeout: seconds for the whole call; `Timeouts.total` by default.
        """
        return (await self.execute(GetCredits(), timeout=timeout)).credits


def _price(country: Country, plan: Plan | None) -> Decimal | None:
    prices = [getattr(country, f"price_{name}") for name in (_PLANS if plan is None else (plan,))]
    return max((price for price in prices if price is not None), default=None)
