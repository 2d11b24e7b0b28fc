"""The customer's account: its project, credits, prices and templates."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Literal

from attrs import Attribute, define, field, frozen

__all__ = ["PLANS", "Account", "Country", "Template"]

Plan = Literal["gratis", "inicio", "basico", "intermedio", "profesional"]
PLANS: tuple[Plan, ...] = ("gratis", "inicio", "basico", "intermedio", "profesional")

_VARIABLE = re.compile(r"\{(\w+)\}")


def _known_variables(template: Template, attribute: Attribute[frozenset[str]], urls: frozenset[str]) -> None:
    if not urls <= template.names:
        raise ValueError(f"the text has no variable {', '.join(sorted(urls - template.names))}")


def _frozenset(names: Iterable[str]) -> frozenset[str]:
    return frozenset(names)


@frozen
class Template:
    """A text with variables in braces: ``{name}`` is replaced by the parameter ``var_name``.

    The document shows no template's source, only the parameters and the result, so the braces are the sandbox's own.

    Attributes:
        text: such as ``"Hola {usuario}"``.
        urls: names of the variables that are set up for a URL; all others take text.
        state: an enabled template can be sent; the others are refused with 130, 131, 132 and 137.
        pieces: what stands around the variables and the names of these, in turn.
        names: all variables.

    Raises:
        ValueError: ``urls`` names a variable that the text does not have.
    """

    text: str
    urls: frozenset[str] = field(default=frozenset(), converter=_frozenset, kw_only=True, validator=_known_variables)
    state: Literal["enabled", "disabled", "rejected", "review", "foreign"] = field(default="enabled", kw_only=True)
    pieces: Sequence[str] = field(init=False, repr=False, eq=False)
    names: frozenset[str] = field(init=False, repr=False, eq=False)

    @pieces.default
    def _pieces(self) -> Sequence[str]:
        return tuple(_VARIABLE.split(self.text))

    @names.default
    def _names(self) -> frozenset[str]:
        return frozenset(self.pieces[1::2])


@frozen
class Country:
    """A country that messages can go to, with the credits that one costs in each plan.

    Attributes:
        code: ISO 3166-1 alpha-2.
        prefix: digits.
        prices: credits per message for the plans gratis, inicio, basico, intermedio, profesional.
    """

    code: str
    name: str
    prefix: str
    prices: tuple[Decimal, ...]

    def price(self, plan: Plan) -> Decimal:
        return self.prices[PLANS.index(plan)]


def _country(code: str, name: str, prefix: str, *prices: str) -> Country:
    return Country(code, name, prefix, tuple(map(Decimal, prices)))


def _default_countries() -> dict[str, Country]:
    countries = (
        _country("MX", "México", "52", "0.5", "0.47", "0.45", "0.43", "0.41"),
        _country("FR", "Francia", "33", "1.5", "1.44", "1.42", "1.4", "1.38"),
        _country("ES", "España", "34", "1.5", "1.43", "1.41", "1.39", "1.37"),
    )
    return {country.prefix: country for country in countries}


def _default_templates() -> dict[str, Template]:
    return {
        "01": Template("{codigo_verificacion} es tu codigo de verificacion de {empresa}."),
        "02": Template("{mensaje}"),
        "0000": Template("Hola {usuario}, tienes una increible promo, solo entra a esta {url}", urls={"url"}),
    }


@define(kw_only=True)
class Account:
    """An envia-sms.com account with one project. A test may change any attribute while the box runs.

    Attributes:
        token: the project's token; random.
        project: the project's number, which a ``proyecto`` parameter must name if it is sent.
        credits: what is left.
        plan: the package that was bought; it chooses the price.
        countries: by prefix; the document's three.
        templates: by id; ``01`` and ``0000`` are the document's examples, ``02`` is one text variable, ``mensaje``,
            and nothing else.
        verified: an unverified project is refused with 401.
        suspended: refused with 04.
        blocked: the caller's address is blocked; refused with 01.
        wrong_tokens_allowed: so many wrong tokens in a row block the address; None for any number.
        forbidden_words: a message that holds one of these words, in any case, is refused with 135.
        short_links: ``short_link=1`` is obeyed; otherwise it is silently ignored.
        duplicate_window: seconds in which a second message with the same text to the same number is dropped. They
            are real seconds, whatever the box's ``time_scale``: a filter that a compressed time switches off would
            hide what it does.
    """

    token: str = field(factory=lambda: secrets.token_hex(16), repr=False)
    project: str = "1001"
    credits: Decimal = field(default=Decimal(100_000), converter=Decimal)
    plan: Plan = "gratis"
    countries: dict[str, Country] = field(factory=_default_countries)
    templates: dict[str, Template] = field(factory=_default_templates)
    verified: bool = True
    suspended: bool = False
    blocked: bool = False
    wrong_tokens_allowed: int | None = None
    forbidden_words: set[str] = field(factory=set)
    short_links: bool = False
    duplicate_window: float = 3600.0
