"""Base of all vendor clients: execute a request value, send one message, close the transport."""

from __future__ import annotations

import asyncio
import logging
import re
from abc import abstractmethod
from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from secrets import token_hex
from types import NoneType, TracebackType
from typing import Any, ClassVar, Final, Generic, Self, TypeVar

from attrs import evolve

from mensasdk import phone
from mensasdk._value import value
from mensasdk.arguments import check_kind, not_this
from mensasdk.codec import Format, decode
from mensasdk.codes import Code
from mensasdk.errors import (
    AmbiguousResponse,
    ConfigurationError,
    MensaError,
    OutcomeKind,
    ValidationError,
    VendorError,
)
from mensasdk.messages import Message, Outcome
from mensasdk.registry import environment, missing_credentials, vendor_info
from mensasdk.transport import (
    NOT_GIVEN,
    AiohttpTransport,
    Gate,
    Hook,
    HttpRequest,
    HttpResponse,
    NotGiven,
    Pipeline,
    RetryPolicy,
    Secret,
    Timeouts,
    Transport,
    check_base_url,
    check_timeout,
    refusal_by_status,
    scrub,
    status_error,
)
from mensasdk.vendors.batching import BatchResult, Prepared, code_of

__all__ = [
    "Call",
    "VendorClient",
    "check_country",
    "check_secrets",
    "e164",
    "one_or_nothing",
    "out_of_time",
    "presentable",
    "words_of",
]

T = TypeVar("T")
# A logger of its own, so that a user who knows a vendor's oddities can silence just these warnings.
answers = logging.getLogger("mensasdk.answers")

_MAX_WORDS: Final = 120
# A shorter text may stand in the vendor's own words by chance, and no one-time code is that short.
_SHORTEST_TEXT: Final = 4
_LONG_NUMBER = re.compile(r"\+?[0-9](?:[ .()-]{0,2}[0-9]){6,}")


@value
class Call(Generic[T]):
    """Request to one function of a vendor, as a value. ``T`` is the type of its answer.

    Attributes:
        function: the vendor's own name of the function (class attribute).
        safe: True where the function only reads, so that a call may be repeated after its bytes have left (class
            attribute).
        answer: class of the answer (class attribute).
    """

    function: ClassVar[str]
    safe: ClassVar[bool] = False
    answer: ClassVar[type[Any]]


def out_of_time(deadline: float | None, wait: float = 0) -> bool:
    """Return whether waiting for ``wait`` seconds would reach the deadline (on the loop's clock; None for none)."""
    return deadline is not None and asyncio.get_running_loop().time() + wait >= deadline


def one_or_nothing(flag: bool) -> int | None:
    """Return 1 for True, and None for False: the vendor takes a missing flag for an unset one."""
    return 1 if flag else None


def e164(digits: str) -> str:
    """Return a number from an answer (digits with the country code) in E.164; unchanged if it is no phone number."""
    try:
        return phone.parse(f"+{digits.lstrip('+')}").e164
    except ValidationError:
        return digits


def words_of(fields: Mapping[str, Any], *names: str) -> str:
    """Return the first of the named fields that is a text and not blank; an empty text where there is none."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, str) and value.strip():
            return value
    return ""


def presentable(words: str, secrets: Iterable[Secret], texts: Iterable[str]) -> str:
    """Return a vendor's words in a form that errors may show.

    Secrets and the given texts are removed, phone numbers are masked, and the rest is one line of at most 120
    characters.
    """
    words = scrub(words, secrets)
    for text in sorted(texts, key=len, reverse=True):  # the longest first, since a text may be a part of another
        if len(text) >= _SHORTEST_TEXT:
            words = words.replace(text, "(text)")
    return _LONG_NUMBER.sub(lambda match: phone.mask(match[0]), " ".join(words.split()))[:_MAX_WORDS]


def _check_transport(transport: object) -> None:
    if transport is None:
        return
    methods = [getattr(transport, name, None) for name in ("send", "aclose")]
    if isinstance(transport, type) or not all(callable(method) for method in methods):
        raise ConfigurationError(not_this("transport", "a Transport, such as AiohttpTransport()", transport))


def _checked_hooks(hooks: object) -> tuple[Hook, ...]:
    if isinstance(hooks, str) or not isinstance(hooks, Iterable):
        raise ConfigurationError(not_this("hooks", "a list of functions, as in hooks=[print]", hooks))
    every = tuple(hooks)
    for index, hook in enumerate(every):
        if not callable(hook):
            raise ConfigurationError(not_this(f"hooks[{index}]", "a function that takes an event", hook))
    return every


def check_country(country: object) -> None:
    """Check that a country is the ISO 3166 alpha-2 code of a country that has phone numbers, or None.

    Raises:
        ConfigurationError: the country is neither a string nor None.
        ValidationError: there is no such country.
    """
    check_kind("default_country", country, (str, NoneType), 'two letters by ISO 3166, such as "ES", or None')
    if isinstance(country, str):
        phone.check_country(country)


def check_secrets(**values: object) -> None:
    """Check that credentials are strings. An error names the credential, and never shows its value.

    Raises:
        ConfigurationError: a credential is not a string.
    """
    for name, secret in values.items():
        check_kind(name, secret, str, "a string")


class VendorClient:
    """Base of all clients. Use a client as ``async with Client(...) as client``, or call `aclose` at the end.

    Args:
        base_url: the vendor's address; ``http://`` is allowed for this machine only.
        transport: a transport to borrow; the client leaves it open. None to make one, which is closed with the client.
        timeouts: limits for each call, with all its attempts, and for connecting; None for the defaults.
        retry: rules for repeating failed attempts; None for the defaults.
        hooks: functions that are called with each `Event`, for tracing and metrics. An async hook is awaited: the call
            waits for it. A hook that raises is logged, and changes nothing.
    """

    vendor: str
    """Short name of the vendor; set by each class. No ClassVar, so that type checkers accept it for `BatchClient`."""

    default_country: str | None
    """ISO 3166 alpha-2 code of the country that national numbers belong to; None to refuse national numbers."""

    _max_recipients: int

    def __init__(
        self,
        *,
        base_url: str,
        transport: Transport | None,
        timeouts: Timeouts | None,
        retry: RetryPolicy | None,
        hooks: Sequence[Hook],
    ) -> None:
        self.base_url = check_base_url(base_url)
        check_kind("timeouts", timeouts, (Timeouts, NoneType), "Timeouts, as in Timeouts(total=5)")
        check_kind("retry", retry, (RetryPolicy, NoneType), "a RetryPolicy, as in RetryPolicy(attempts=3)")
        _check_transport(transport)
        hooks = _checked_hooks(hooks)
        phone.load()  # now, and not in the event loop when the first number comes
        self._owned = transport is None
        self._pipeline = Pipeline(
            vendor=self.vendor,
            transport=AiohttpTransport() if transport is None else transport,
            timeouts=timeouts or Timeouts(),
            retry=retry or RetryPolicy(),
            hooks=hooks,
        )
        self._noted: set[tuple[str, str]] = set()

    @classmethod
    def from_env(cls, **overrides: Any) -> Self:
        """Make a client from environment variables, the same ones that the command reads.

        ``MENSASDK_<VENDOR>_<FIELD>`` holds a credential (see `VendorInfo.credentials`), and
        ``MENSASDK_<VENDOR>_BASE_URL`` an address other than the vendor's own.

        Args:
            overrides: arguments of the constructor, by name. They are not looked for in the environment.

        Raises:
            ConfigurationError: a credential is neither in the environment nor given, and the error names its variable;
                or the constructor refuses a value.
        """
        info = vendor_info(cls.vendor)
        known = (*info.credentials, *info.credentials_instead)
        found = {**environment(info, (*known, "base_url")), **overrides}
        wanted = next(
            (names for names in (info.credentials, info.credentials_instead) if names and found.keys() >= set(names)),
            None,
        )
        if wanted is None:
            raise missing_credentials(info, found)
        unused = {name for name in known if name not in wanted and name not in overrides}
        return cls(**{name: value for name, value in found.items() if name not in unused})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.base_url}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the client's own transport; a borrowed one stays open. A second call does nothing."""
        if self._owned:
            await self._pipeline.transport.aclose()

    async def execute(
        self,
        call: Call[T],
        *,
        gate: Gate | None = None,
        deadline: float | None = None,
        timeout: float | NotGiven = NOT_GIVEN,
    ) -> T:
        """Send a request value to the vendor, and return its answer. The client's other methods use this one.

        Args:
            call: the request.
            gate: a rate limiter, passed before each attempt; None for no limiter.
            deadline: end of the call, on the loop's clock; None to use ``timeout``.
            timeout: seconds for the whole call, all attempts and the waits between them; `Timeouts.total` where it is
                not given.

        Raises:
            ConfigurationError: ``timeout`` is no finite number above 0, or is given together with a ``deadline``.
            ValidationError: a value of the request breaks a rule; nothing was sent.
            MensaError: the call failed; see `mensasdk.errors`. Its ``outcome`` says what became of the request.
        """
        check_kind("call", call, Call, "a request of this vendor, from its module requests")
        if timeout is not NOT_GIVEN:
            deadline = self._deadline(timeout, deadline)
        return await self._pipeline.run(
            self._encode(call),
            lambda response: self._read(call, response),
            function=call.function,
            safe=call.safe,
            gate=gate,
            deadline=deadline,
        )

    def _deadline(self, timeout: float | NotGiven, deadline: float | None = None) -> float:
        """Return the time by which a call that begins now has to end, on the loop's clock."""
        if deadline is not None:
            if timeout is not NOT_GIVEN:
                raise ConfigurationError("give a deadline or a timeout, not both", vendor=self.vendor)
            return deadline
        seconds = self._pipeline.timeouts.total if timeout is NOT_GIVEN else check_timeout(timeout)
        return asyncio.get_running_loop().time() + seconds

    async def send(self, message: Message, *, timeout: float | NotGiven = NOT_GIVEN) -> Outcome:
        """Send one message and return its outcome. Message and outcome are the same for all vendors.

        There is no campaign, and so no rate limiter, no journal and no check for duplicates; `BatchSender` has these. A
        message that may have been sent is not sent again.

        Args:
            message: the message. Its ``reference`` goes with the request where the vendor takes one.
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

        Returns:
            The outcome. A failure is an outcome too, with the code that it has in a campaign: NOT_SENT where a value
            breaks a rule or nothing has left, REJECTED where the vendor refused, UNKNOWN where the answer was lost.

        Raises:
            ConfigurationError: ``message`` is no `Message`, ``timeout`` is no finite number above 0, or the client is
                closed or belongs to another event loop. NOT_SENT.
            asyncio.CancelledError: the task was cancelled; `outcome_of` tells the outcome.
        """
        given: object = message
        if not isinstance(given, Message):
            what = 'a Message, such as Message("+34600000000", "Hola")'
            raise ConfigurationError(not_this("message", what, given), vendor=self.vendor)
        deadline = self._deadline(timeout)
        if message.not_after is not None and message.not_after <= datetime.now(UTC):
            return self._failed(message, Code.EXPIRED, "its not_after has passed")
        item: Prepared | None = None
        try:
            item = self.prepare(message)
            reference = message.reference or token_hex(8)
            result = await self.send_batch([item], reference=reference, gate=None, deadline=deadline)
        except ConfigurationError:
            raise
        except MensaError as error:
            failed = self._failed(message, code_of(error), error.message, error.outcome)
            return failed if item is None else evolve(failed, parts=item.parts)
        [outcome] = result.outcomes
        if outcome.credits is None and result.credits is not None and outcome.kind is OutcomeKind.ACCEPTED:
            outcome = evolve(outcome, credits=result.credits)
        return outcome

    def _failed(self, message: Message, code: str, detail: str, kind: OutcomeKind = OutcomeKind.NOT_SENT) -> Outcome:
        return Outcome(kind, message, vendor=self.vendor, code=code, detail=detail)

    @abstractmethod
    def prepare(self, message: Message) -> Prepared:
        """Check a message and convert it to the vendor's terms; see `BatchClient.prepare`."""

    @abstractmethod
    async def send_batch(
        self,
        batch: Sequence[Prepared],
        *,
        reference: str,
        gate: Gate | None,
        group: str | None = None,
        deadline: float | None = None,
    ) -> BatchResult:
        """Send messages in one request; see `BatchClient.send_batch`.

        Args:
            batch: messages with equal keys and different numbers.
            reference: of the request.
            gate: a rate limiter; None for no limiter.
            group: id of the vendor's group; None for no group.
            deadline: end of all requests of this call, on the loop's clock; None to give each `Timeouts.total`.
        """

    @property
    def max_recipients(self) -> int:
        """Maximum count of messages in one request of a batch."""
        return self._max_recipients

    def group_key(self, item: Prepared) -> Hashable | None:
        """Return None: most vendors have no groups in which they take no number twice; see `BatchClient.group_key`."""
        return None

    @abstractmethod
    def _encode(self, call: Call[Any]) -> HttpRequest:
        """Build the HTTP request for a request value."""

    @abstractmethod
    def _understand(self, call: Call[T], response: HttpResponse, notes: list[str]) -> T:
        """Read the answer from a response's body, or raise the vendor's refusal or a `ResponseError`.

        Oddities that do not matter are added to ``notes``, in our own words and without anything of the body.
        """

    def _tree(self, call: Call[Any], response: HttpResponse, expect: Format, notes: list[str]) -> Any:
        """Decode a body, and unwrap a list of one item. Calls that may cost money are read strictly (``exact``)."""
        decoded = decode(
            response.body,
            expect=expect,
            content_type=response.headers.get("content-type", ""),
            exact=not call.safe,
            vendor=self.vendor,
        )
        notes += decoded.notes
        tree = decoded.tree
        return tree[0] if isinstance(tree, list) and len(tree) == 1 else tree

    def _read(self, call: Call[T], response: HttpResponse) -> T:
        error = status_error(response)
        if error is None:
            if response.status < 400:
                notes: list[str] = []
                answer = self._understand(call, response, notes)
                if notes:
                    self._warn(call.function, "; ".join(dict.fromkeys(notes)))
                return answer
            error = self._refusal_of(call, response)
        raise error

    def _warn(self, function: str, oddities: str) -> None:
        """Log that an answer was taken although it has oddities.

        The first log of an oddity is a warning, the later ones are for debugging: a vendor may do it in every answer.
        There are only a few kinds of oddities, so the memory of them does not grow.
        """
        known = (function, oddities) in self._noted
        self._noted.add((function, oddities))
        level = logging.DEBUG if known else logging.WARNING
        answers.log(level, "%s %s: the answer was taken, and is not in order: %s", self.vendor, function, oddities)

    def _refusal_of(self, call: Call[Any], response: HttpResponse) -> MensaError:
        """Return the error for a 4xx: the vendor's documented refusal, or else the meaning of the HTTP status."""
        try:
            self._understand(call, response, [])
        except (VendorError, AmbiguousResponse) as verdict:
            return verdict
        except MensaError:  # not the vendor's own answer, such as a firewall's page
            return refusal_by_status(response.status)
        status = response.status
        return AmbiguousResponse(
            f"the body says success, but the HTTP status is {status}", status=status, code=str(status)
        )
