"""Customer's account at the emulated envia-sms.com: project, credits, prices and templates."""

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
        raise ValueError(f"urls: the text has no variable {', '.join(sorted(urls - template.names))}")


def _frozenset(names: Iterable[str]) -> frozenset[str]:
    return frozenset(names)


@frozen
class Template:
    """Template with variables in braces: ``{name}`` is replaced by the parameter ``var_name``.

    The braces are the sandbox's own, because the document shows only the parameters and the result of a template.

    Attributes:
        text: the text, such as ``"Hola {usuario}"``.
        urls: names of the variables that take a URL; all others take text.
        state: an enabled template can be sent; in the other states, a message is refused with 130 (disabled), 131
            (rejected), 132 (review) or 137 (foreign).
        pieces: the pieces of text around the variables and the names of the variables, in turn.
        names: the names of all variables.

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
    """Country that messages can be sent to, with the price of a message in each plan.

    Attributes:
        code: ISO 3166-1 alpha-2 code.
        name: name in Spanish.
        prefix: country prefix, digits only.
        prices: credits per message in the plans gratis, inicio, basico, intermedio, profesional.
    """

    code: str
    name: str
    prefix: str
    prices: tuple[Decimal, ...]

    def price(self, plan: Plan) -> Decimal:
        """Return the credits per message in a plan."""
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
    """Account at envia-sms.com with one project. A test may change any attribute while the sandbox runs.

    Attributes:
        token: the project's token; random by default.
        project: the project's id; a request whose ``proyecto`` is another one is refused with 06.
        credits: credits left.
        plan: the package that was bought, which decides the prices.
        countries: the countries by prefix; by default the document's three.
        templates: the templates by id; by default ``01`` and ``0000``, the document's examples, and ``02``, whose text
            is the variable ``mensaje`` alone.
        verified: whether the project is verified; requests of an unverified one are refused with 401.
        suspended: whether the project is suspended; its requests are refused with 04.
        blocked: whether the client's IP address is blocked; its requests are refused with 01.
        wrong_tokens_allowed: count of wrong tokens in a row that are allowed; one more blocks the address. None for no
            limit.
        forbidden_words: words in lower case; a message with one of them, in any case, is refused with 135.
        short_links: whether ``short_link=1`` shortens links; otherwise the parameter is ignored.
        duplicate_window: seconds within which a second message with the same text to the same number is dropped. These
            are real seconds, not scaled by ``time_scale``, so that the filter works on a compressed time scale as well.
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
