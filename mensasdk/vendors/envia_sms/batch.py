"""Prepare and send a campaign's messages with envia-sms.com: one message per request, from templates only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from mensasdk import phone
from mensasdk.messages import Message, Outcome, OutcomeKind
from mensasdk.placeholders import fill
from mensasdk.transport import Gate
from mensasdk.vendors.batching import BatchResult, Prepared, options_of
from mensasdk.vendors.envia_sms import rules
from mensasdk.vendors.envia_sms.models import EnviaSmsOptions
from mensasdk.vendors.envia_sms.reconcile import EnviaSmsReconcile
from mensasdk.vendors.envia_sms.requests import SendSms

__all__ = ["EnviaSmsBatch"]

_NO_OPTIONS: Final = EnviaSmsOptions()


class EnviaSmsBatch(EnviaSmsReconcile):
    """Part of `EnviaSmsClient` that `BatchSender` calls to prepare and send messages."""

    text_rule = rules.TEXT_RULE
    """Limits of a text, and its parts. ``unicode`` is the vendor's ``ucs2``. The template's own words count as well."""

    @property
    def max_recipients(self) -> int:
        """Most messages in one request: 1, as the vendor documents no way to give several numbers."""
        return 1

    def prepare(self, message: Message) -> Prepared:
        """Check a message for `BatchSender`; see `BatchClient.prepare`.

        A message without a text sends its ``template`` (or the one of `EnviaSmsOptions`) with its variables. The text
        of a message goes into one variable of a template: see `EnviaSmsOptions`.
        """
        options = options_of(message, _NO_OPTIONS, vendor=self.vendor)
        if message.sender:
            raise rules.invalid("sender", "envia-sms.com has no parameter for the sender; leave it out")
        number = phone.parse(message.to, default_country=self.default_country)
        text = fill(message.text, message.variables)
        template, variables = _content(message, text, options)
        unicode = rules.needs_ucs2(*variables.values()) if options.unicode is None else options.unicode
        if message.text:
            self.text_rule.apply(text, unicode=unicode)
        call = self._send_call(
            number,
            template,
            variables,
            schedule_at=message.schedule_at,
            unicode=unicode,
            allow_duplicates=options.allow_duplicates,
            short_links=options.short_links,
        )
        # The template's own words are not known here, so this is a minimum.
        parts = rules.parts("".join(variables.values()), unicode=unicode)
        # A request carries one message only, so all messages may have the same key.
        return Prepared(message, number.e164, self.vendor, call, parts)

    async def send_batch(
        self,
        batch: Sequence[Prepared],
        *,
        reference: str,
        gate: Gate | None,
        group: str | None = None,
        deadline: float | None = None,
    ) -> BatchResult:
        """Send one message; see `BatchClient.send_batch`. The vendor takes no reference and reports no cost."""
        (item,) = batch
        call: SendSms = item.payload
        result = await self.execute(call, gate=gate, deadline=deadline)
        detail = ""
        if self.test_mode:
            detail = "test mode: the vendor accepted the message, and sends nothing"
        elif result.links_shortened is False:
            detail = "the vendor did not shorten the links; that has to be enabled in the account's profile"
        parts = item.parts if result.text is None else rules.parts(result.text, unicode=call.unicode)
        outcome = Outcome(
            OutcomeKind.ACCEPTED,
            item.message,
            vendor=self.vendor,
            vendor_id=result.message_id,
            detail=detail,
            parts=parts,
        )
        return BatchResult([outcome])

    def _send_call(
        self,
        number: phone.PhoneNumber,
        template: str,
        variables: Mapping[str, str],
        *,
        schedule_at: datetime | None,
        unicode: bool,
        allow_duplicates: bool,
        short_links: bool,
    ) -> SendSms:
        return SendSms(
            template=rules.template_id(template),
            number=rules.numero(number),
            schedule_at=None if schedule_at is None else rules.wall_clock(schedule_at, self.time_zone),
            unicode=unicode,
            allow_duplicates=allow_duplicates,
            short_links=short_links,
            variables=variables,
        )


def _content(message: Message, text: str, options: EnviaSmsOptions) -> tuple[str, dict[str, str]]:
    """Return the id of a message's template, and the values of the template's variables."""
    template = options.template if message.template is None else message.template
    if message.text and options.text_variable is None:
        raise rules.invalid(
            "text",
            "envia-sms.com sends from templates only: leave text empty and give template and variables, or register a "
            'template that is one variable and name both, as in EnviaSmsOptions(template="7", '
            'text_variable="mensaje")',
        )
    if template is None:
        raise rules.invalid(
            "template",
            "envia-sms.com sends from templates only: give template, or EnviaSmsOptions(template=...), the id that "
            "the vendor's panel shows",
        )
    if options.text_variable is None:
        return template, rules.template_variables(message.variables)
    name = rules.variable_name(options.text_variable, field="options")
    if message.text:
        return template, {name: rules.check_string("text", text)}
    if message.template is None:
        raise rules.invalid("text", "text is empty; give a text, which goes into the template's variable")
    return template, rules.template_variables(message.variables)
