"""The client for Mensatek's SMS API 7.0.

Source: Mensatek, "SMS Sending API / BULK SMS (7.0)"; where it is silent, API 5.8 and public client code.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Final, Literal

from mensasdk.arguments import check_count, check_flag, not_this
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
# The document has no figure for SMS; the vendor's MMS function takes 1,000.
MAX_RECIPIENTS: Final = 1000
MAX_FILE: Final = 10 * 1024 * 1024


class MensatekClient(MensatekBatch):
    """Mensatek's API 7.0: everything by POST, with Basic authentication.

    Args:
        api_user: the API user, from the panel under Your Data, Configure Account.
        api_token: the API token, from the same place.
        answer_format: what answers are asked for (``Resp``): ``"json"``, ``"xml"`` or ``"txt"``. What comes back is
            read by what it is.
        body_format: how requests are written: ``"json"``, or ``"form"`` with arrays as JSON strings.
        default_country: ISO 3166 alpha-2 code of the country that national numbers belong to, such as ``"ES"``;
            None to take international numbers only.
        max_recipients: most recipients in one request. The document names no limit.
        group_sends: `BatchSender` sends what has one sender and one schedule in one group of the vendor's
            (``Idmensaje``), in which no mobile gets two messages. For it: a request that ended UNKNOWN can be sent
            again, by `BatchSender.reconcile`, and nobody gets a second SMS. Against it: a number gets one message of
            a campaign, and a second one is dropped by the vendor; all messages of a group share one ``vendor_id``, so
            that `cancel_sms` and `reschedule_sms` take all of them, and `get_report` tells of all of them.
        base_url: ``https://api.mensatek.com/v7``.
        transport: a transport to borrow; None for an own one.
        timeouts: see `Timeouts`.
        retry: see `RetryPolicy`. Sends, cancellations and uploads are never repeated after their bytes have left.
        hooks: called with each event, and awaited where they are async.

    Every method raises these, besides what it names itself:
        AuthError: ``Res=-1`` or status 401 or 403. Do not go on: repeated failures block the address.
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
        """Send one text to one or many recipients: ``EnviarSMS``.

        Args:
            recipients: ``Destinatarios``: numbers in any common spelling, or `Recipient` values whose variables (at
                most ten) replace ``(Variable_1)`` to ``(Variable_10)`` in the text.
            text: ``Mensaje``. May hold the vendor's codes, such as ``(SMSLAND:2:idLanding)``. Without ``unicode``,
                characters outside of GSM 03.38 are replaced by the vendor: á becomes a.
            sender: ``Remitente``: a number of at most 15 digits, or at most 11 letters, digits, ``&`` and ``_``; empty
                for the account's default.
            schedule_at: ``Fecha``: aware datetime in the future. The vendor keeps minutes on Spain's clock; seconds
                are rounded up.
            reference: ``Referenciausuario``: comes back as ``Referencia`` in delivery reports.
            report: ``Report``: delivery reports go to the script set in the panel, or by e-mail.
            message_id: ``Idmensaje``: groups with an earlier send, whose sender is then used. The vendor refuses a
                mobile that the group has already.
            fail_to_voice: ``Fail2voice``: a voice call where no SMS can be delivered.
            voice_language: ``Lenguajevoz``, such as ``"es-ES"``; only with ``fail_to_voice``.
            voice_sender: ``Remitentevoz``: international number validated in the panel; only with ``fail_to_voice``.
            unicode: ``Unicode``: any character, at 70 characters for one SMS and 67 for each part of a longer one.
            skip_blacklist: ``Obviarlistanegra``. The document does not describe it; by its name, numbers on your
                blacklist are sent to as well.
            fix_utf8: ``Fixutf8``: let the vendor repair text that is not UTF-8. Of no use here: we always send UTF-8.
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

        Returns:
            The answer. ``accepted`` may be less than the recipients: the vendor drops duplicates and wrong numbers;
            `get_report` tells which.

        Raises:
            ValidationError: a value breaks a rule; NOT_SENT.
            ScheduleError: ``schedule_at`` is naive, past, or in a clock change; NOT_SENT.
            InsufficientCredits: ``Res=-2``; REJECTED, nothing was sent.
            InvalidRequest: ``Res=-3``; REJECTED.
            DecodeError: the answer has no number of messages, or no id; UNKNOWN.
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
            AccessDenied: ``Res=-2``, not a message of this account; may count as an attack when repeated.
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
            ScheduleError: naive, past, or in a clock change; nothing was sent.
            AccessDenied: ``Res=-2``, not a message of this account.
            InvalidRequest: ``Res=-3``, or ``-6`` the date is wrong.
            StateConflict: ``Res=-4`` already sent, ``-5`` cancelled, ``-7`` the date has passed.
        """
        call = RescheduleSms(message_id=rules.message_id(message_id), schedule_at=rules.wall_clock(schedule_at))
        return await self.execute(call, timeout=timeout)

    async def get_report(self, message_id: str | int, *, timeout: float | NotGiven = NOT_GIVEN) -> Report:
        """Ask where each recipient of a message stands: ``GetReportSMS``.

        Delivery reports by callback are the better way; quick repetitions of this call count as abuse.

        Args:
            message_id: ``Idmensaje``, as sending returned it.
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

        Raises:
            AccessDenied: ``Res=-2`` or ``-4``.
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
        """Put a file into the account's library, to be linked from texts: ``CargarFichero``.

        Args:
            file: a path, or the content itself. A path must be a regular file (no link, pipe or device) of at most
                10 MiB.
            name: ``Nombre``: letters and digits with an extension, at most 15 characters; needed with content, and
                the file's own name by default.
            auto_delete: ``Autoborrado``: the library drops it once the certified SMS is certified.
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
                raise rules.invalid("name", "name is needed where the content itself is given")
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
        """Delete a file from the library: ``BorrarFichero``. Do so only when no message needs it any more.

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
        """Ask for the account's balance in credits: ``GetCreditos``.

        Ask rarely: most answers hold the balance, and quick repetitions count as abuse.

        Args:
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.
        """
        return (await self.execute(GetCredits(), timeout=timeout)).credits

    async def list_templates(self, *, timeout: float | NotGiven = NOT_GIVEN) -> Mapping[str, str]:
        """Fetch the account's templates, name to text: ``GetPlantillasSMS``.

        Where two have the same name the oldest one wins, by the vendor's rule.

        Args:
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

        Raises:
            InvalidRequest: ``Res=-3``.
        """
        return (await self.execute(ListTemplates(), timeout=timeout)).texts
