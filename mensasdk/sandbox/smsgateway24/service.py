"""Emulated smsgateway24: check the credentials, call the function asked for, and write its answer."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal

import orjson

from mensasdk.sandbox.smsgateway24 import contacts, devices, listing, posting, sending
from mensasdk.sandbox.smsgateway24.message import Sms, now_utc
from mensasdk.sandbox.smsgateway24.params import Params, decode, read_json
from mensasdk.sandbox.smsgateway24.refusals import LOGIN_WRONG, TOKEN_WRONG, Refused
from mensasdk.sandbox.smsgateway24.render import changed, variant
from mensasdk.sandbox.smsgateway24.state import State
from mensasdk.sandbox.smsgateway24.statuses import INCOMING
from mensasdk.sandbox.vendor import Incoming, Reply, Services, Vendor

__all__ = ["SmsGateway24"]

_BOTH = frozenset({"GET", "POST"})

_SENDING: Mapping[str, Callable[[State, Params], tuple[Mapping[str, Any], int]]] = {
    "addsms": sending.add_sms,
    "smstosend": sending.add_sms_with_login,
    "addalotofsms": sending.add_many,
    "addsmstosenderid": sending.add_sms_to_sender_id,
}
_FUNCTIONS: Mapping[str, Callable[[State, Params], Mapping[str, Any]]] = {
    "getallsms": listing.list_sms,
    "savetag": contacts.save_tag,
    "savecontact": contacts.save_contact,
    "savepaket": contacts.save_newsletter,
    "getalldevices": devices.list_devices,
    "getsmsstatus": listing.sms_status,
    "getdevicestatus": devices.device_status,
}


class SmsGateway24(State, Vendor):
    """Emulation of smsgateway24.com's API v1.0, after its API documentation, Sender ID and webhook pages and samples.

    The vendor has no credits: a message costs 0 in the ledger, and its parts are counted from its text. Several
    addresses in one ``sendto`` are a message each. They share the ledger's ``message_id``, which is the id in the
    answer; ``report_id`` is each message's own id. The ledger keeps ``datajson`` parsed.

    Where the documents are silent:

    * Dates in requests are UTC. A ``timetosend`` that has passed means at once.
    * addalotofsms takes all items or none (see `Quirks.partial_bulk`).
    * Every refusal has HTTP status 200 with ``error`` 1 (see `Quirks.http_errors`). Except for a wrong login, the
      texts are the sandbox's own.
    * An image is refused on other channels than WhatsApp.
    * The last two digits of a number choose the final state of its message: 08 to 12 give states 8 to 12, 94 gives the
      undocumented 4, 96 stays at 6, 98 gives 100, 99 gives 101, and all others 7.
    * A message is in state 1 until it is due. Then it spends a third of the delivery delay each in states 1, 2 and 6;
      a message whose final state is 4 or above 8 skips 6. A phone that is offline takes no messages.

    Args:
        account: the customer's account; by default a new one with random credentials.
        quirks: deviations from the documents; may be replaced while the sandbox runs.
        retention: count of the newest messages to keep, if the sandbox keeps no messages.

    Attributes:
        store: the messages, sent and received.
        images: uploaded images by address; empty if the sandbox keeps no messages.
    """

    base_path: ClassVar[str] = "/smsgateway24/getdata"
    result_field: ClassVar[str] = "error"
    result_values: ClassVar[tuple[str, str]] = ("0", "1")
    send_options: ClassVar[tuple[str, ...]] = ("--device-id", "260")
    functions: ClassVar[Mapping[str, frozenset[str]]] = {
        **dict.fromkeys(("gettoken", *_SENDING, *_FUNCTIONS), _BOTH),
        "addsmstosenderid": frozenset({"POST"}),
    }

    def attach(self, services: Services) -> None:
        """Connect the vendor to a sandbox; limit the store if the sandbox keeps no messages."""
        super().attach(services)
        if not services.ledger.keep_messages:
            self.store.limit = self._retention

    def credentials(self) -> Mapping[str, str]:
        """Return the e-mail address and the password."""
        return {"email": self.account.email, "password": self.account.password}

    def fund(self, amount: Decimal) -> None:
        """Do nothing: the vendor has no credits, because the SIM cards in the phones pay."""

    def decode(self, function: str, request: Incoming) -> None:
        """Read the query and the form, and the JSON of addsmstosenderid and addalotofsms."""
        decode(request)
        if function == "addsmstosenderid":
            read_json(request, request.body)
        elif function == "addalotofsms":
            data = request.params.get("datajson")
            if isinstance(data, str):
                read_json(request, data, "datajson")
            elif self.quirks.raw_json_bulk and request.body.lstrip()[:1] == b"{":
                read_json(request, request.body, "datajson")
            else:
                request.secrets = {}

    def handle(self, function: str, request: Incoming) -> Reply:
        """Check the login or the token, carry out the request and return the answer."""
        accepted = 0
        fields: Mapping[str, Any]
        try:
            if request.malformed is not None:
                raise Refused(request.malformed)
            params = Params(request.params)
            if function in ("gettoken", "smstosend"):
                self._check_login(request)
            elif request.secrets.get("token") not in self._tokens:
                raise Refused(LOGIN_WRONG if self.quirks.published_text_only else TOKEN_WRONG)
            if function == "gettoken":
                fields = self._give_token(request)
            elif function in _SENDING:
                fields, accepted = _SENDING[function](self, params)
            else:
                fields = _FUNCTIONS[function](self, params)
        except Refused as refused:
            fields = {"error": 1, "message": refused.message}
        return self._reply(fields, accepted)

    def answer(self, function: str, request: Incoming, fields: Mapping[str, Any]) -> Reply:
        """Build a JSON answer from its data, with the quirks."""
        return self._reply(fields, 0)

    def refusal(self, function: str, request: Incoming, code: int | str) -> Mapping[str, Any]:
        """Build the data of a refusal: with ``error`` 1 and a text, or with a code and the text for credentials."""
        if isinstance(code, str):
            return {"error": 1, "message": code}
        by_login = function in ("gettoken", "smstosend")
        return {"error": code, "message": LOGIN_WRONG if by_login else TOKEN_WRONG}

    def decoy(self, function: str, request: Incoming) -> Mapping[str, Any]:
        """Build data that looks like success."""
        fine: Mapping[str, Any] = {"error": 0, "message": "OK"}
        match function:
            case "gettoken":
                return {**fine, "token": "0" * 32}
            case "addsms" | "smstosend":
                return {"error": 0, "sms_id": 1, "message": sending.SAVED}
            case "addalotofsms" | "addsmstosenderid":
                return {"error": 0, "message": sending.SAVED}
            case "getallsms":
                return {"error": 0, "smss": {}, "count": 0, "message": "OK"}
            case "savetag":
                return {**fine, "tag_id": 1}
            case "savecontact":
                return {**fine, "contact_id": 1}
            case "savepaket":
                return {**fine, "paket_id": 1}
            case "getalldevices":
                return {"count": 0, "device": {}, "message": "OK"}
            case "getsmsstatus":
                return {"error": 0, "sms_id": 1, "status": 1, "status_description": "New", "message": "Ok"}
            case _:
                return {**fine, "online": True, "device_id": 1, "lastseen": None, "diffseconds": 0, "title": ""}

    def inbound(
        self, number: str, text: str, *, to: str, reply_to: str | None, certified: bool, at: datetime
    ) -> Mapping[str, Any]:
        """Receive an SMS on the phone with the number ``to``, or else on the first phone, and build its webhook."""
        for device in self.account.devices.values():
            for card in device.sims:
                if device.own_number(card.slot) == to:
                    return self.receive(number, text, device_id=device.id, sim=card.slot, at=at)
        return self.receive(number, text, at=at)

    # ------------------------------------------------------------------ for tests

    @property
    def token(self) -> str:
        """Valid token, for a client that takes a token instead of a login."""
        if self._token not in self._tokens:
            self._token = secrets.token_hex(16)
            self._tokens.add(self._token)
        return self._token

    def revoke_tokens(self) -> None:
        """Make all tokens invalid; the next gettoken gives a new one."""
        self._tokens.clear()

    def set_online(self, device_id: int, online: bool) -> None:
        """Take a phone offline or back online; messages that it has not taken wait in state 1 meanwhile.

        Raises:
            KeyError: the account has no such phone.
        """
        device = self.account.devices[device_id]
        if online:
            device.offline_since = device.last_seen = None
            for sms in self.release(device_id):
                posting.Posting(self, sms).resume()
        elif device.online:
            device.offline_since, device.last_seen = time.monotonic(), now_utc()

    def start_newsletter(self, newsletter_id: int) -> int:
        """Start a newsletter of savepaket on the phone, which sends it to each contact under its tags.

        Returns:
            The count of messages sent.

        Raises:
            KeyError: the account has no such newsletter.
        """
        return contacts.start(self, self.account.newsletters[newsletter_id])

    def receive(
        self,
        number: str,
        text: str = "",
        *,
        device_id: int | None = None,
        sim: int = 0,
        image_url: str | None = None,
        at: datetime | None = None,
    ) -> Mapping[str, Any]:
        """Receive a message on a phone; getallsms then lists it in state 5.

        Args:
            number: the sender's number.
            text: the text; ignored for an image.
            device_id: the phone; None for the first one.
            sim: the channel, 0 to 5.
            image_url: the address of an image, or None for a text message.
            at: time of reception (aware); None for now.

        Returns:
            The webhook of the message, for `Sandbox.post_callback`.

        Raises:
            KeyError: the account has no such phone.
        """
        device = self.account.devices[next(iter(self.account.devices)) if device_id is None else device_id]
        created = now_utc() if at is None else at.astimezone(UTC).replace(microsecond=0)
        body = text if image_url is None else image_url
        sms = Sms(self.next_id(), number, body, device, sim, None, False, False, created, None, 0.0, INCOMING)
        self.store.add(sms)
        return posting.incoming(self, sms, image_url)

    def delivery_webhook(
        self, sms_id: int, status: int | None = None, *, form: Literal["reference", "article"] = "reference"
    ) -> Mapping[str, Any]:
        """Build a delivery webhook for `Sandbox.post_callback`, such as an early, late, repeated or invented one.

        Args:
            sms_id: the id of a stored message.
            status: any state; None for the state now.
            form: the format, of the vendor's reference page or of its article.

        Raises:
            KeyError: no message has this id.
        """
        sms = self.store.get(sms_id)
        if sms is None:
            raise KeyError(sms_id)
        make = posting.reference_delivery if form == "reference" else posting.article_delivery
        return make(self, sms, self.status(sms) if status is None else status)

    # ------------------------------------------------------------------ internal

    def _check_login(self, request: Incoming) -> None:
        email, password = request.params.get("email"), request.secrets.get("pass", "")
        right = isinstance(email, str) and hmac.compare_digest(email.encode(), self.account.email.encode())
        if not right or not hmac.compare_digest(password.encode(), self.account.password.encode()):
            raise Refused(LOGIN_WRONG)

    def _give_token(self, request: Incoming) -> Mapping[str, Any]:
        if self.quirks.gettoken_get_only and request.method != "GET":
            raise Refused("Method not allowed")
        if self.quirks.token_per_login:
            self._tokens.clear()
        return {"error": 0, "message": "OK", "token": self.token}

    def _reply(self, fields: Mapping[str, Any], accepted: int) -> Reply:
        error = fields.get("error", 0)
        message = None
        if self.quirks.message_variants and not error:
            message = variant(self._last_variant)
            self._last_variant += 1
        status = 200
        if error and self.quirks.http_errors:
            status = 401 if fields["message"] in (LOGIN_WRONG, TOKEN_WRONG) else 400
        return Reply(
            fields=fields,
            body=orjson.dumps(changed(fields, self.quirks, message)),
            content_type="application/json",
            status=status,
            outcome=str(error),
            accepted=accepted,
        )
