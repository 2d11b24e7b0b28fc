"""The client for envia-sms.com's "API SMS".

Source: envia-sms.com, "API SMS" (5 August 2022); where it is silent, public client code.
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
    """envia-sms.com's "API SMS" (Mexico): everything by GET, texts from templates only.

    Sending by GET, too: one call is one request on the wire, whatever drops, and one that may have arrived is never
    repeated. The token goes last in the query, and shows in no log, error or ``repr``.

    Args:
        token: the project's token, from the vendor's panel.
        test_mode: put ``pruebas_`` in front of the token (once): no SMS is sent and no credit is spent.
        time_zone: the clock that the vendor reads schedules on and writes dates on; UTC-5 by default, which is the
            figure in the document. It calls that "central Mexico", which was so until October 2022; since then central
            Mexico is at UTC-6 all year. Give ``ZoneInfo("America/Mexico_City")`` if the vendor turns out to follow
            the place and not the figure: schedules would otherwise be an hour off.
        default_country: ISO 3166 alpha-2 code of the country that national numbers belong to, such as ``"MX"``;
            None to take international numbers only.
        base_url: ``https://envia-sms.com/api/sms``.
        transport: a transport to borrow; None for an own one.
        timeouts: see `Timeouts`.
        retry: see `RetryPolicy`. Only `get_status` and `get_credits` are ever repeated after their bytes have left.
        hooks: called with each event, and awaited where they are async.

    Every method raises these, besides what it names itself; ``code`` is as the document prints it, ``"05"``:
        AddressBlocked: 01 our address is blocked for misuse, 04 the project is suspended. Stop.
        AuthError: 02, 03, 06 (token or project), 401, 403. Do not go on: misuse gets the address blocked.
        InsufficientCredits: 05.
        InvalidRequest: 400.
        VendorError: 500, and codes that the document does not name; ``outcome`` is UNKNOWN.
        TransportError, ResponseError: see `mensasdk.errors`; ``outcome`` says what became of the request.

    Raises:
        ConfigurationError: the token is empty or holds control characters, or ``time_zone`` is none.
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
            number: ``numero``: in any common spelling; sent as ``52,5589520028``.
            template: ``plantilla``: the id of a template of your own or of a general one, as text: ``"01"`` is not
                ``"1"``.
            variables: ``var_{name}``: all variables of the template, by name, with or without ``var_`` in front.
                Whether one takes a text or a URL is set up in the panel. What a template does not have is ignored
                by the vendor.
            schedule_at: ``fecha_programar``: aware datetime in the future; seconds on the clock of the client's
                ``time_zone``, fractions rounded up. The document says that scheduling fails in test mode (106),
                and has an example of it that does not.
            unicode: ``ucs2``: any character, at most 500; every 70 count as a message. Without it, at most 160
                characters of 7 bits.
            allow_duplicates: ``duplicado``: send the same text to the same number again within the hour. Without it
                the vendor drops the second one; what it then answers is not documented.
            short_links: ``short_link``: shorten links in variables to ``https://miurl.link/…``. This has to be enabled
                in the account's profile; else the vendor silently sends the long ones, which
                `SendResult.links_shortened` shows.
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

        Returns:
            The answer, with the identifier that the other methods take, and the text as it is sent.

        Raises:
            ValidationError: a value breaks a rule; NOT_SENT.
            ScheduleError: ``schedule_at`` is naive, past, or in a clock change; NOT_SENT.
            InvalidRequest: number 07 08 103 104 111 122 123; schedule 106 108; template 130 131 132; variables 133 134
                136; content 102 113 119 124 125 135; 114 115 116 118 121. REJECTED.
            NotFound: 129 the template was not found; REJECTED.
            AccessDenied: 137 the template belongs to another account; REJECTED.
            VendorError: 109 and 117, the vendor failed while sending; 107 110 112 120 126 127 128, of which the
                document says only "contact support". UNKNOWN: none of them says that no SMS went out.
            DecodeError: the answer has no identifier, or cannot be read; UNKNOWN.
            AmbiguousResponse: the answer says that it failed and has an identifier or data; UNKNOWN.
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
            message_id: ``identificador``, as sending returned it. ``"*"`` is refused: see `cancel_all_scheduled`.
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

        Raises:
            ValidationError: it is no identifier; nothing was sent.
            InvalidRequest: 301, 302 a parameter did not arrive.
            NotFound: 303 no such identifier, 304 no such scheduled message: it may have been sent already.
        """
        return await self.execute(SendCancel(action="cancel", message_id=rules.message_id(message_id)), timeout=timeout)

    async def cancel_all_scheduled(self, *, timeout: float | NotGiven = NOT_GIVEN) -> ActionResult:
        """Cancel all scheduled messages of the project: ``send_cancel`` with ``tipo=cancel``, ``identificador=*``.

        Args:
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

        Raises:
            NotFound: 303, 304 there is nothing scheduled.
        """
        return await self.execute(SendCancel(action="cancel", message_id="*"), timeout=timeout)

    async def send_scheduled_now(self, message_id: str, *, timeout: float | NotGiven = NOT_GIVEN) -> ActionResult:
        """Send a scheduled message at once: ``send_cancel`` with ``tipo=send``.

        Args:
            message_id: ``identificador``, as sending returned it. ``"*"`` is refused: see `send_all_scheduled_now`.
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

        Raises:
            ValidationError: it is no identifier; nothing was sent.
            InvalidRequest: 301, 302 a parameter did not arrive.
            NotFound: 303 no such identifier, 304 no such scheduled message: it may have been sent already.
        """
        return await self.execute(SendCancel(action="send", message_id=rules.message_id(message_id)), timeout=timeout)

    async def send_all_scheduled_now(self, *, timeout: float | NotGiven = NOT_GIVEN) -> ActionResult:
        """Send all scheduled messages of the project at once: ``send_cancel`` with ``tipo=send``, ``identificador=*``.

        Args:
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

        Raises:
            NotFound: 303, 304 there is nothing scheduled.
        """
        return await self.execute(SendCancel(action="send", message_id="*"), timeout=timeout)

    async def get_status(self, message_id: str, number: str, *, timeout: float | NotGiven = NOT_GIVEN) -> StatusReport:
        """Ask where a message is: ``status_message``. It only reads, and is repeated when the network fails.

        Args:
            message_id: ``identificador``, as sending returned it.
            number: ``numero``: the recipient's number in any common spelling. (The document says "remitente", sender;
                its example has the recipient.)
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

        Raises:
            ValidationError: one of the two breaks a rule; nothing was sent.
            InvalidRequest: 302 the identifier did not arrive; 07, 08 the country.
            NotFound: 303 no such identifier, 601 no such number, 602 no status.
        """
        identifier = rules.message_id(message_id)
        parsed = phone.parse(number, default_country=self.default_country, field="number")
        return await self.execute(GetStatus(message_id=identifier, number=rules.numero(parsed)), timeout=timeout)

    async def list_countries(self, *, timeout: float | NotGiven = NOT_GIVEN) -> tuple[Country, ...]:
        """List the countries that can be sent to, with prices: ``paises``.

        **Each call costs one credit.** It is therefore not repeated once its bytes have left, and an error of the
        network with the outcome UNKNOWN may have cost the credit. The vendor does not offer it in test mode.

        Args:
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

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
        """Fetch the vendor's price list as a table for `Estimate` and `Budget`: one call of `list_countries`.

        **It costs one credit.** Keep the result, and do not call this for each campaign. A country that the list does
        not have takes the highest price of those that share its calling code.

        Args:
            plan: the package that the account has bought, which decides the prices (``"free"`` is the vendor's
                ``precio_gratis``); no function of the API tells it. None for the highest price of each country, so
                that neither an estimate nor a cap is too low.
            default: the price of everything else; None to have none for it.
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

        Raises:
            ValidationError: there is no such plan, or ``default`` is no amount; nothing was sent.
            ConfigurationError: the client is in test mode; nothing was sent.
        """
        if plan is not None and plan not in _PLANS:
            raise rules.invalid("plan", f"plan must be one of {', '.join(_PLANS)}, or None for the highest prices")
        default = Prices({}, default=default).default  # refused here, before a credit is spent
        return Prices.from_list(
            [
                (country.code, country.calling_code, _price(country, plan))
                for country in await self.list_countries(timeout=timeout)
            ],
            default=default,
        )

    async def get_credits(self, *, timeout: float | NotGiven = NOT_GIVEN) -> Decimal:
        """Ask for the project's credits: ``creditos_disponibles``. It only reads, and may be repeated.

        Args:
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.
        """
        return (await self.execute(GetCredits(), timeout=timeout)).credits


def _price(country: Country, plan: Plan | None) -> Decimal | None:
    prices = [getattr(country, f"price_{name}") for name in (_PLANS if plan is None else (plan,))]
    return max((price for price in prices if price is not None), default=None)
