"""Emulated EnvíaTuSMS: check the key, call the function asked for, and write its answer."""

from __future__ import annotations

import hmac
from array import array
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from attrs import evolve

from mensasdk.sandbox.enviatusms import sending
from mensasdk.sandbox.enviatusms.dates import CARACAS
from mensasdk.sandbox.enviatusms.links import HOST, ShortLink, is_url
from mensasdk.sandbox.enviatusms.message import Campaign
from mensasdk.sandbox.enviatusms.params import decode
from mensasdk.sandbox.enviatusms.refusals import BAD_LINK, NO_KEY, NO_LINK, WRONG_KEY, Refused, status_of, text_of
from mensasdk.sandbox.enviatusms.render import SHORT_LINK, is_refusal, refused, render
from mensasdk.sandbox.enviatusms.state import State
from mensasdk.sandbox.vendor import Incoming, Reply, Services, Vendor

__all__ = ["EnviaTuSms"]

_GET, _POST = frozenset({"GET"}), frozenset({"POST"})


def _balance(state: State, params: Mapping[str, Any]) -> Mapping[str, Any]:
    account = state.account
    return {"status": "ok", "sms": account.affordable(), "balance": account.balance}


def _campaign(state: State, params: Mapping[str, Any]) -> Mapping[str, Any]:
    return state.find(params["id"]).fields(state.box, state.quirks.message_text)


def _shorten(state: State, params: Mapping[str, Any]) -> Mapping[str, Any]:
    link = params.get("link")
    if link is None and state.quirks.accepts_url:
        link = params.get("url")
    if not link:
        raise Refused(NO_LINK)
    if not isinstance(link, str) or not is_url(link):
        raise Refused(BAD_LINK)
    return _link_fields(state.shorten(link))


def _link_fields(link: ShortLink) -> Mapping[str, Any]:
    short = f"{HOST}/{link.id}"
    return {
        "success": True,
        "orig_link": link.orig_link,
        "link": f"https://{short}",
        "link_no_protocol": short,
        "id": link.id,
    }


_SENDING: Mapping[str, Callable[[State, Mapping[str, Any]], tuple[Mapping[str, Any], int]]] = {
    "sms-multi": sending.send,
}
_FUNCTIONS: Mapping[str, Callable[[State, Mapping[str, Any]], Mapping[str, Any]]] = {
    "balance": _balance,
    "sms-costo": sending.quote,
    "campaign": _campaign,
    SHORT_LINK: _shorten,
}
_METHODS: Mapping[str, frozenset[str]] = {
    "balance": _GET,
    "sms-multi": _POST,
    "sms-costo": _POST,
    "campaign": _GET,
    SHORT_LINK: _POST,
}


class EnviaTuSms(State, Vendor):
    """Emulation of EnvíaTuSMS's API, after the document "Documentación de la API" by EnvíaTuSMS.

    The ledger's credits are USD, and its ``text`` is the text of the request. A campaign in moderation is in the
    ledger's state ``"scheduled"``. Bodies are read as JSON with any content type, since the document's PHP samples send
    none.

    Where the document is silent:

    * A number has 10 digits, with or without 58 or 0 before them and a ``+`` before it all; its operator is one of
      `Account.operators`. Any other string or integer is ignored; other types are refused.
    * A number that comes twice gets one message and is charged once. With ``permitir_duplicados`` it gets each text
      once, because the document speaks of different messages. A duplicate that is dropped is neither in ``ignored``
      nor in a quote.
    * Accents are removed from all letters except é and É. Ñ stays, as in the document's sample of a campaign. Length is
      counted in characters after that. A text of more than 160 characters is refused by sms-multi (see
      `Quirks.long_texts`); sms-costo counts its parts of 153 (or 67) characters, as the document says.
    * The last two digits of a number choose the final state of its message: 91 stays pending, 92 stays pending but
      processed, 94 ends as removed (4), 95 in an undocumented state (5), 97 as rejected (7), and all others as
      delivered (1). ``processed`` is 1 after half of the delivery delay; the final state comes after all of it.
    * ``send_at`` is the time at which the campaign was made or approved. Dates are in Caracas local time. ``stats``
      count SMS; ``failed`` counts those that are neither pending nor delivered.
    * A cancelled campaign is refunded. A campaign whose numbers were all ignored exists, without messages.
    * Every refusal has a text of the sandbox's own. The HTTP status is 401 for a missing or wrong key, 404 for an
      unknown campaign, 422 for parameters, and 200 for a lack of money or links (see `Quirks.http_status`).

    ``box.fail("enviatusms", fault=Fault.RES, res=...)`` takes the text of a refusal, or 200, 401, 404 or 422 for a
    refusal with that HTTP status.

    Args:
        account: the customer's account; by default a new one with a random key.
        quirks: deviations from the document; may be replaced while the sandbox runs.
        retention: count of the newest messages and links to keep, if the sandbox keeps no messages.

    Attributes:
        campaigns: the campaigns by id.
        links: the short links by id.
    """

    base_path: ClassVar[str] = "/enviatusms/api"
    result_field: ClassVar[str] = "status"
    result_values: ClassVar[tuple[str, str]] = ('"ok"', '"error"')
    functions: ClassVar[Mapping[str, frozenset[str]]] = _METHODS

    def attach(self, services: Services) -> None:
        """Connect the vendor to a sandbox; limit campaigns and links if the sandbox keeps no messages."""
        super().attach(services)
        if not services.ledger.keep_messages:
            self.campaigns.limit = self.links.limit = self._retention

    def resolve(self, tail: str) -> str | None:
        """Return the function of a path; campaign has the campaign's id after a slash."""
        function, slash, campaign_id = tail.partition("/")
        if function == "campaign":
            return function if slash and "/" not in campaign_id else None
        return super().resolve(tail)

    def result(self, function: str) -> tuple[str, str, str]:
        """Return the result field and its values; sms-costo and acortar-url have fields of their own."""
        match function:
            case "sms-costo":
                return "precio_usd", "0.045", "null"
            case "acortar-url":
                return "success", "true", "false"
            case _:
                return super().result(function)

    def credentials(self) -> Mapping[str, str]:
        """Return the API key."""
        return {"api_key": self.account.api_key}

    def fund(self, amount: Decimal) -> None:
        """Set the balance of the account, in USD."""
        self.account.balance = amount

    def decode(self, function: str, request: Incoming) -> None:
        """Read the query and a JSON body, and for campaign the id in the path."""
        decode(request, self.account.api_key, has_body=_METHODS[function] is _POST)
        if function == "campaign":
            request.params = {**request.params, "id": request.path.rpartition("/")[2]}

    def handle(self, function: str, request: Incoming) -> Reply:
        """Check the key, carry out the request and return the answer."""
        accepted = 0
        fields: Mapping[str, Any]
        try:
            self._authorise(request)
            if request.malformed is not None:
                raise Refused(request.malformed)
            if function in _SENDING:
                fields, accepted = _SENDING[function](self, request.params)
            else:
                fields = _FUNCTIONS[function](self, request.params)
        except Refused as refusal:
            fields = refused(function, refusal.text, refusal.more)
        return self._reply(function, fields, accepted)

    def answer(self, function: str, request: Incoming, fields: Mapping[str, Any]) -> Reply:
        """Build a JSON answer from its data, with the quirks."""
        return self._reply(function, fields, 0)

    def refusal(self, function: str, request: Incoming, code: int | str) -> Mapping[str, Any]:
        """Build the data of a refusal with a text, or with the text that belongs to an HTTP status."""
        return refused(function, code if isinstance(code, str) else text_of(code), {})

    def decoy(self, function: str, request: Incoming) -> Mapping[str, Any]:
        """Build data that looks like success."""
        match function:
            case "balance":
                return _balance(self, {})
            case "sms-multi":
                return {"status": "ok", "id": 1, "msg": sending.SENT, "ignored": []}
            case "sms-costo":
                price = Decimal("0.045")
                return {"precio_usd": price, "numeros_validos": 1, "numeros_invalidos": 0, "cantidad_mensajes": 1}
            case "campaign":
                now = datetime.now(CARACAS)
                numbers = array("Q", (584240000000,))
                return Campaign(1, numbers, (1,), ("",), Decimal(0), now, now, 0.0).fields(self.box)
            case _:
                return _link_fields(ShortLink("000", str(request.params.get("link", ""))))

    # ------------------------------------------------------------------ for tests

    def create_campaign(
        self, numbers: Sequence[str], text: str | Sequence[str], *, allow_duplicates: bool = False
    ) -> int:
        """Make a campaign as in the web panel; it is charged and recorded in the ledger like any other.

        Args:
            numbers: the recipients' numbers, as in ``numeros``.
            text: one text, or one for each number, as in ``texto``.
            allow_duplicates: as in ``permitir_duplicados``.

        Returns:
            The id of the campaign.

        Raises:
            ValueError: sms-multi would refuse the campaign; the text is that of the refusal.
        """
        texto = text if isinstance(text, str) else list(text)
        params = {"numeros": list(numbers), "texto": texto, "permitir_duplicados": allow_duplicates}
        try:
            sending.send(self, params, from_api=False)
        except Refused as refusal:
            raise ValueError(refusal.text) from None
        return self._last_campaign_id

    def approve(self, campaign_id: int) -> None:
        """Approve a campaign that waits for the administrator; its messages are sent.

        Raises:
            KeyError: no campaign has this id.
            ValueError: the campaign does not wait for approval.
        """
        campaign = self.campaigns[campaign_id]
        if campaign.due is not None or campaign.cancelled:
            raise ValueError(f"campaign {campaign_id} does not wait for approval")
        campaign.approve()
        self.box.ledger.change(self.name, str(campaign_id), lambda message: evolve(message, state="sent"))

    def cancel(self, campaign_id: int) -> None:
        """Cancel a campaign that waits or is on its way, as the administrator does; its cost is refunded.

        Raises:
            KeyError: no campaign has this id.
            ValueError: the messages have their final states, or the campaign was cancelled before.
        """
        campaign = self.campaigns[campaign_id]
        if campaign.cancelled or campaign.is_over(self.box):
            raise ValueError(f"campaign {campaign_id} is over: its messages are in their final state or cancelled")
        campaign.cancelled = True
        self.account.balance += campaign.cost
        self.box.ledger.change(
            self.name, str(campaign_id), lambda message: evolve(message, state="cancelled"), campaign.cost
        )

    # ------------------------------------------------------------------ internal

    def _authorise(self, request: Incoming) -> None:
        given = request.secrets.get("api_key", "")
        if not given:
            raise Refused(NO_KEY)
        if not hmac.compare_digest(given.encode(), self.account.api_key.encode()):
            raise Refused(WRONG_KEY)

    def _reply(self, function: str, fields: Mapping[str, Any], accepted: int) -> Reply:
        failed = is_refusal(fields)
        body, content_type = render(function, fields, self.quirks)
        return Reply(
            fields=fields,
            body=body,
            content_type=content_type,
            status=self._status(fields) if failed else 200,
            outcome="error" if failed else "ok",
            accepted=accepted,
        )

    def _status(self, fields: Mapping[str, Any]) -> int:
        status = status_of(str(fields.get("msg", fields.get("error"))))
        match self.quirks.http_status:
            case "always_200":
                return 200
            case "never_200" if status == 200:
                return 422
            case _:
                return status
