"""What all vendor clients share: executing a request value, and being closed once."""

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
# Apart, so that whoever lives with a vendor's habits can silence just these.
answers = logging.getLogger("mensasdk.answers")

_MAX_WORDS: Final = 120
# A shorter one may be a part of the vendor's own words by chance; it is no code that anybody would send.
_SHORTEST_TEXT: Final = 4
_LONG_NUMBER = re.compile(r"\+?[0-9](?:[ .()-]{0,2}[0-9]){6,}")


@value
class Call(Generic[T]):
    """One request of one vendor function, as a value. ``T`` is what executing it returns.

    Class attributes:
        function: the vendor's own name of the function.
        safe: it only reads, so that it may be repeated after its bytes have left.
        answer: the class that the answer is structured into.
    """

    function: ClassVar[str]
    safe: ClassVar[bool] = False
    answer: ClassVar[type[Any]]


def out_of_time(deadline: float | None, wait: float = 0) -> bool:
    """Whether a wait of so many seconds would outlast a deadline, which is on the loop's clock."""
    return deadline is not None and asyncio.get_running_loop().time() + wait >= deadline


def one_or_nothing(flag: bool) -> int | None:
    """1, or nothing, for a flag that is off at the vendor's where it is absent."""
    return 1 if flag else None


def e164(digits: str) -> str:
    """A number of an answer, digits with the country code, in E.164 where it is one; else as the vendor wrote it."""
    try:
        return phone.parse(f"+{digits.lstrip('+')}").e164
    except ValidationError:
        return digits


def words_of(fields: Mapping[str, Any], *names: str) -> str:
    """The first text of an answer's fields that is not blank; empty where there is none."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, str) and value.strip():
            return value
    return ""


def presentable(words: str, secrets: Iterable[Secret], texts: Iterable[str]) -> str:
    """A vendor's own words without our secrets and texts, with phone numbers masked, in one line, and then short."""
    words = scrub(words, secrets)
    for text in sorted(texts, key=len, reverse=True):  # one may be a part of another
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
    """Refuse what is no ISO 3166 alpha-2 code of a country that has numbers; None is taken.

    Raises:
        ConfigurationError: it is no string.
        ValidationError: there is no such country.
    """
    check_kind("default_country", country, (str, NoneType), 'two letters by ISO 3166, such as "ES", or None')
    if isinstance(country, str):
        phone.check_country(country)


def check_secrets(**values: object) -> None:
    """Refuse credentials that are no text, by their names and without a look at them.

    Raises:
        ConfigurationError: one is none.
    """
    for name, secret in values.items():
        check_kind(name, secret, str, "a string")


class VendorClient:
    """Base of all clients. Use a client as ``async with Client(...) as client``, or call `aclose`.

    Args:
        base_url: the vendor's address; ``http://`` is taken for this machine only.
        transport: a transport to borrow; it is left open. None for an own one, which is closed with the client.
        timeouts: the deadline of each call, over all its attempts, and of connecting.
        retry: how failed attempts are repeated.
        hooks: called with each `Event`, for tracing and metrics, and awaited where they are async: the call waits for
            them. One that raises is logged, and changes nothing.
    """

    vendor: str
    """The vendor's short name. Set by each class; no ClassVar, so that it fits `BatchClient` for every type checker."""

    default_country: str | None
    """ISO 3166 alpha-2 code of the country that national numbers belong to; None to take none. Set by each client."""

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
        phone.load()  # rather than in the loop, when the first number comes
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
        """Make a client from the environment, by the names that the command reads.

        ``MENSASDK_<VENDOR>_<FIELD>`` for each of its credentials, and ``MENSASDK_<VENDOR>_BASE_URL`` for another
        address than the vendor's own; see `VendorInfo.credentials`.

        Args:
            overrides: arguments of the constructor, by name; what is given here is not looked for in the environment.

        Raises:
            ConfigurationError: a credential is in neither; names the variable. What the constructor refuses.
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
        """Close the client's own transport. Calling it again does nothing; a borrowed transport stays open."""
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
        """Make the call that a request value describes. The client's methods are sugar over this.

        Args:
            call: the request.
            gate: a rate limiter, passed before each attempt.
            deadline: on the loop's clock; None for ``timeout``.
            timeout: seconds for the whole call, all attempts and the waits between them; `Timeouts.total` where it is
                not given.

        Raises:
            ConfigurationError: ``timeout`` is no finite number above 0, or stands beside a ``deadline``.
            ValidationError: a value in it breaks a rule; nothing was sent.
            MensaError: see `mensasdk.errors`; ``outcome`` says what became of the request.
        """
        check_kind("call", call, Call, "a request of the vendor's, such as one of its module requests")
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
        """When a call that begins now has to be over, on the loop's clock."""
        if deadline is not None:
            if timeout is not NOT_GIVEN:
                raise ConfigurationError("give a deadline or a timeout, not both", vendor=self.vendor)
            return deadline
        seconds = self._pipeline.timeouts.total if timeout is NOT_GIVEN else check_timeout(timeout)
        return asyncio.get_running_loop().time() + seconds

    async def send(self, message: Message, *, timeout: float | NotGiven = NOT_GIVEN) -> Outcome:
        """Send one message, in the words that all vendors share, and tell what became of it.

        There is no campaign, and so no limiter, no journal and no list of duplicates; `BatchSender` has them. Nothing
        is repeated that may have been sent.

        Args:
            message: what to send. Its ``reference`` goes with the request where the vendor takes one.
            timeout: seconds for the whole call; `Timeouts.total` where it is not given.

        Returns:
            Its outcome. Whatever goes wrong is one, with the code that it would have in a campaign: NOT_SENT where a
            value breaks a rule or nothing has left, UNKNOWN where the answer was lost.

        Raises:
            ConfigurationError: ``message`` is no `Message`, ``timeout`` no time, or the client is closed or of another
                loop. NOT_SENT.
            asyncio.CancelledError: as it came; see `outcome_of`.
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
        """Check a message by the vendor's rules; see `BatchClient.prepare`."""

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
            batch: as there.
            reference: as there.
            gate: as there; None for no limiter.
            group: as there.
            deadline: on the loop's clock, for all requests of this call; None for `Timeouts.total` for each.
        """

    @property
    def max_recipients(self) -> int:
        """The most messages that one request of a batch carries."""
        return self._max_recipients

    def group_key(self, item: Prepared) -> Hashable | None:
        """See `BatchClient.group_key`: most vendors have no groups within which they take no number twice."""
        return None

    @abstractmethod
    def _encode(self, call: Call[Any]) -> HttpRequest:
        """Turn a request value into bytes terms."""

    @abstractmethod
    def _understand(self, call: Call[T], response: HttpResponse, notes: list[str]) -> T:
        """Turn a body into the call's answer, or raise the vendor's refusal, or a `ResponseError`.

        What is out of order and does not matter goes into ``notes``: clauses of ours, without anything of the body.
        """

    def _tree(self, call: Call[Any], response: HttpResponse, expect: Format, notes: list[str]) -> Any:
        """Decode a body; a list of one thing is that thing. What it says about money is read exactly."""
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
        """Log that an answer was taken although it was not in order.

        A warning the first time and for debugging after that: what a vendor does in every answer need not be said of
        each. There is a handful of oddities, so what is remembered of them does not grow.
        """
        known = (function, oddities) in self._noted
        self._noted.add((function, oddities))
        level = logging.DEBUG if known else logging.WARNING
        answers.log(level, "%s %s: the answer was taken, and is not in order: %s", self.vendor, function, oddities)

    def _refusal_of(self, call: Call[Any], response: HttpResponse) -> MensaError:
        """What a 4xx means: a refusal that the vendor documents, or else what its status says."""
        try:
            self._understand(call, response, [])
        except (VendorError, AmbiguousResponse) as verdict:
            return verdict
        except MensaError:  # no data of the vendor's, such as a firewall's page
            return refusal_by_status(response.status)
        status = response.status
        return AmbiguousResponse(f"the body tells of success, under status {status}", status=status, code=str(status))
