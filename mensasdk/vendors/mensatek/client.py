"""Client for Mensatek's SMS API 7.0.

Source: Mensatek, "SMS Sending API / BULK SMS (7.0)"; where it is silent, API 5.8 and public client code.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Final, Literal

from mensasdk.arguments import check_count, check_flag, check_waits, not_this
from mensasdk.files import read_regular_file
from mensasdk.messages import Recipient
from mensasdk.transport import NOT_GIVEN, Hook, NotGiven, RetryPolicy, Timeouts, Transport
from mensasdk.vendors.base import check_country
from mensasdk.vendors.mensatek import rules
from mensasdk.vendors.mensatek.batch import MensatekBatch
from mensasdk.vendors.mensatek.models import (
    CancelResult,
    LibraryFile,
    Report,
    RescheduleResult,
    SendResult,
    UploadResult,
)
from mensasdk.vendors.mensatek.requests import (
    CancelSms,
    DeleteFile,
    GetCredits,
    GetReport,
    ListFiles,
    ListTemplates,
    RescheduleSms,
    SendSms,
    UploadFile,
)
from mensasdk.vendors.mensatek.wire import AnswerFormat, BodyFormat

__all__ = ["MensatekClient"]

BASE_URL: Final = "https://api.mensatek.com/v7"
# The document gives no limit for SMS; the vendor's MMS function takes 1,000.
MAX_RECIPIENTS: Final = 1000
REPORT_WAITS: Final = (0.0, 1.0, 3.0)
MAX_FILE: Final = 10 * 1024 * 1024


class MensatekClient(MensatekBatch):
    """Client for Mensatek's API 7.0. Every call is a POST with Basic authentication.

    Args:
        api_user: the API user, from the panel under Your Data, Configure Account.
        api_token: the API token, from the same place.
        answer_format: format to ask for in answers (``Resp``): ``"json"``, ``"xml"`` or ``"txt"``. An answer in another
            of these formats is read all the same.
        body_format: format of requests: ``"json"``, or ``"form"`` with arrays as JSON strings.
        default_country: ISO 3166 alpha-2 code of the country that national numbers belong to, such as ``"ES"``;
            None to take international numbers only.
        max_recipients: maximum count of recipients in one request. The document names no limit.
        group_sends: True to let `BatchSender` send messages with the same sender and schedule in one group of the
            vendor's (``Idmensaje``), in which no mobile gets two messages. The advantage: a request that ended UNKNOWN
            can be sent again, by `BatchSender.reconcile`, and nobody gets a second SMS. The drawbacks: the vendor
            drops a second message of a campaign to the same number; and all messages of a group share one
            ``vendor_id``, so that `cancel_sms`, `reschedule_sms` and `get_report` act on the whole group.
        report_waits: seconds to wait before each look at a report that tells which numbers of a request the vendor
            took. A report may lag behind the answer by a moment, and the vendor counts quick repetitions as abuse.
        base_url: address of the API.
        transport: a transport to borrow; None to make one.
        timeouts: see `Timeouts`.
        retry: see `RetryPolicy`. Sends, cancellations and uploads are never repeated after their bytes have left.
        hooks: functions that are called with each event; async hooks are awaited.

    All methods raise these errors, besides the errors that they name:
        AuthError: ``Res=-1``, or HTTP status 401 or 403. Stop then: repeated failures get the address blocked.
        TransportError, ResponseError: see `mensasdk.errors`; ``outcome`` says what became of the request.
        VendorError: a refusal that the document does not name.
    """

    def __init__(
        self,
        api_user: str,
        api_token: str,
        *,
        answer_format: AnswerFormat = "json",
        body_format: BodyFormat = "json",
        default_country: str | None = None,
        max_recipients: int = MAX_RECIPIENTS,
        group_sends: bool = False,
        report_waits: Sequence[float] = REPORT_WAITS,
        base_url: str = BASE_URL,
        transport: Transport | None = None,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        hooks: Sequence[Hook] = (),
    ) -> None:
        check_count("max_recipients", max_recipients)
        check_flag("group_sends", group_sends)
        super().__init__(
            api_user=api_user,
            api_token=api_token,
            answer_format=answer_format,
            body_format=body_format,
            base_url=base_url,
            transport=transport,
            timeouts=timeouts,
            retry=retry,
            hooks=hooks,
        )
        check_country(default_country)
        self.default_country = default_country
        self._max_recipients = max_recipients
        self._group_sends = group_sends
        self._report_waits = check_waits("report_waits", report_waits)

    # ------------------------------------------------------------------------------------------------- functions

    async def send_sms(
        self,
        recipients: str | Recipient | Iterable[str | Recipient],
        text: str,
        *,
        sender: str = "",
        schedule_at: datetime | None = None,
        reference: str | None = None,
        report: bool = False,
        message_id: str | int | None = None,
        fail_to_voice: bool = False,
        voice_language: str | None = None,
        voice_sender: str | None = None,
        unicode: bool = False,
        skip_blacklist: bool = False,
        fix_utf8: bool = False,
        timeout: float | NotGiven = NOT_GIVEN,
    ) -> SendResult:
        """Send one text to one or more recipients: ``EnviarSMS``.

        Args:
            recipients: ``Destinatarios``: numbers in any common spelling, or `Recipient` values with at most ten
                variables, which replace ``(Variable_1)`` to ``(Variable_10)`` in the text.
            text: ``Mensaje``. May hold the vendor's codes, such as ``(SMSLAND:2:idLanding)``. Without ``unicode``, the
                vendor replaces characters outside GSM 03.38: á becomes a.
            sender: ``Remitente``: a number of at most 15 digits, or at most 11 letters, digits, ``&`` and ``_``; empty
                for the account's default.
            schedule_at: ``Fecha``: aware datetime in the future. The vendor keeps minutes on Spain's clock; seconds
                are rounded up.
            reference: ``Referenciausuario``: comes back as ``Referencia`` in delivery reports.
            report: ``Report``: ask for delivery reports, which go to the script set in the panel, or by e-mail.
            message_id: ``Idmensaje``: id of an earlier send, whose group these messages join. They get the sender of
                that send. The vendor refuses a mobile that is in the group already.
            fail_to_voice: ``Fail2voice``: make a voice call where the SMS cannot be delivered.
            voice_language: ``Lenguajevoz``, such as ``"es-ES"``; only with ``fail_to_voice``.
            voice_sender: ``Remitentevoz``: international number validated in the panel; only with ``fail_to_voice``.
            unicode: ``Unicode``: allow any character, with 70 characters in one SMS, or 67 in each part of a longer
                one.
            skip_blacklist: ``Obviarlistanegra``. The document does not describe it; by its name, numbers on your
                blacklist get the SMS too.
            fix_utf8: ``Fixutf8``: let the vendor repair text that is not UTF-8. Not needed: the client always sends
                UTF-8.
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

        Returns:
            The answer. ``accepted`` may be less than the count of recipients, because the vendor drops duplicates and
            wrong numbers; `get_report` tells which.

        Raises:
            ValidationError: a value breaks a rule; NOT_SENT.
            ScheduleError: ``schedule_at`` is naive, past, or in a clock change; NOT_SENT.
            InsufficientCredits: ``Res=-2``; REJECTED, nothing was sent.
            InvalidRequest: ``Res=-3``; REJECTED.
            DecodeError: the answer has no count of messages, or no id; UNKNOWN.
        """
        people = rules.people(recipients)
        if not people:
            raise rules.invalid("recipients", "recipients is empty; give at least one number")
        rules.check_voice(fail_to_voice, voice_language, voice_sender)
        return await self.execute(
            SendSms(
                sender=rules.check_sender(sender),
                recipients=[rules.recipient_object(one, self.default_country) for one in people],
                text=rules.check_text(text),
                schedule_at=None if schedule_at is None else rules.wall_clock(schedule_at),
                reference=None if reference is None else rules.check_string("reference", reference),
                report=report,
                message_id=None if message_id is None else rules.message_id(message_id),
                fail_to_voice=fail_to_voice,
                voice_language=voice_language,
                voice_sender=rules.voice_number(voice_sender),
                unicode=unicode,
                skip_blacklist=skip_blacklist,
                fix_utf8=fix_utf8,
            ),
            timeout=timeout,
        )

    async def cancel_sms(self, message_id: str | int, *, timeout: float | NotGiven = NOT_GIVEN) -> CancelResult:
        """Cancel a scheduled message: ``CancelarSMS``.

        Args:
            message_id: ``Idmensaje``, as sending returned it.
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

        Raises:
            AccessDenied: ``Res=-2``, not a message of this account; a repeated call may count as an attack.
            InvalidRequest: ``Res=-3``.
            StateConflict: ``Res=-4`` already sent, ``-5`` already cancelled.
        """
        return await self.execute(CancelSms(message_id=rules.message_id(message_id)), timeout=timeout)

    async def reschedule_sms(
        self, message_id: str | int, schedule_at: datetime, *, timeout: float | NotGiven = NOT_GIVEN
    ) -> RescheduleResult:
        """Move a scheduled message to another time: ``ReprogramarSMS``.

        Args:
            message_id: ``Idmensaje``, as sending returned it.
            schedule_at: ``Fecha``: aware datetime in the future; minutes on Spain's clock, seconds rounded up.
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

        Raises:
            ScheduleError: ``schedule_at`` is naive, past, or in a clock change; nothing was sent.
            AccessDenied: ``Res=-2``, not a message of this account.
            InvalidRequest: ``Res=-3``, or ``-6`` the date is wrong.
            StateConflict: ``Res=-4`` already sent, ``-5`` cancelled, ``-7`` the date has passed.
        """
        call = RescheduleSms(message_id=rules.message_id(message_id), schedule_at=rules.wall_clock(schedule_at))
        return await self.execute(call, timeout=timeout)

    async def get_report(self, message_id: str | int, *, timeout: float | NotGiven = NOT_GIVEN) -> Report:
        """Return the status of each recipient of a message: ``GetReportSMS``.

        Delivery reports by callback are the better way: the vendor counts quick repetitions of this call as abuse.

        Args:
            message_id: ``Idmensaje``, as sending returned it.
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

        Raises:
            AccessDenied: ``Res=-2`` or ``-4``, no report that this account may see.
            InvalidRequest: ``Res=-3``.
        """
        return await self.execute(GetReport(message_id=rules.message_id(message_id)), timeout=timeout)

    async def upload_file(
        self,
        file: str | os.PathLike[str] | bytes,
        *,
        name: str | None = None,
        auto_delete: bool = False,
        method: Literal["files", "base64"] = "files",
        timeout: float | NotGiven = NOT_GIVEN,
    ) -> UploadResult:
        """Upload a file to the account's library, so that texts can link to it: ``CargarFichero``.

        Args:
            file: a path, or the content itself. A path must be a regular file (no link, pipe or device) of at most
                10 MiB.
            name: ``Nombre``: letters and digits with an extension, at most 15 characters. Needed with content; for a
                path, the file's own name by default.
            auto_delete: ``Autoborrado``: delete the file from the library once the certified SMS is certified.
            method: ``Tipo``: ``"files"`` sends a multipart form with the part ``Fichero`` (known from the vendor's own
                client; the document does not name the part), ``"base64"`` sends ``Contenido``.
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

        Raises:
            ValidationError: the name or file breaks a rule; nothing was sent.
            UploadRefused: ``Res=-10`` to ``-18``; ``code`` says which.
            InvalidRequest: ``Res=-3``.
        """
        deadline = self._deadline(timeout)
        if method not in {"files", "base64"}:
            raise rules.invalid("method", 'method must be "files" or "base64"')
        if isinstance(file, bytes):
            if name is None:
                raise rules.invalid("name", 'name is needed with content; give one, such as name="contract1.pdf"')
            content = file
        else:
            if not isinstance(file, str | os.PathLike):
                raise rules.invalid("file", not_this("file", "a path, or the content in bytes", file))
            path = Path(file)
            name = name if name is not None else path.name
            rules.file_name(name)
            content = await read_regular_file(path, limit=MAX_FILE, field="file", vendor=self.vendor)
        if not content:
            raise rules.invalid("file", "the file is empty")
        if len(content) > MAX_FILE:
            raise rules.invalid("file", f"the file has more than {MAX_FILE // 2**20} MiB")
        return await self.execute(
            UploadFile(name=rules.file_name(name), content=content, base64=method == "base64", auto_delete=auto_delete),
            deadline=deadline,
        )

    async def list_files(self, *, timeout: float | NotGiven = NOT_GIVEN) -> tuple[LibraryFile, ...]:
        """List the account's file library: ``ListarFicheros``.

        Args:
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

        Raises:
            InvalidRequest: ``Res=-3``.
        """
        return (await self.execute(ListFiles(), timeout=timeout)).files

    async def delete_file(self, name: str, *, timeout: float | NotGiven = NOT_GIVEN) -> None:
        """Delete a file from the library: ``BorrarFichero``. Do so only when no message needs the file any more.

        Args:
            name: ``Nombre``, as `list_files` gives it.
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

        Raises:
            NotFound: ``Res=-2``.
        """
        if not rules.check_string("name", name) or not name.isprintable() or "/" in name or "\\" in name:
            raise rules.invalid("name", "name must be a plain file name, as list_files gives it")
        await self.execute(DeleteFile(name=name), timeout=timeout)

    async def get_credits(self, *, timeout: float | NotGiven = NOT_GIVEN) -> Decimal:
        """Return the account's balance in credits: ``GetCreditos``.

        Ask rarely: most answers hold the balance, and the vendor counts quick repetitions as abuse.

        Args:
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.
        """
        return (await self.execute(GetCredits(), timeout=timeout)).credits

    async def list_templates(self, *, timeout: float | NotGiven = NOT_GIVEN) -> Mapping[str, str]:
        """Return the account's templates, as a mapping of names to texts: ``GetPlantillasSMS``.

        Of two templates with the same name the older one counts, by the vendor's rule.

        Args:
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

        Raises:
            InvalidRequest: ``Res=-3``.
        """
        return (await self.execute(ListTemplates(), timeout=timeout)).texts
