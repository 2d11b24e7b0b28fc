"""Quirks of the emulated smsgateway24: deviations seen in a published sample or left open by the documents."""

from __future__ import annotations

from typing import Literal, Self

from attrs import frozen

__all__ = ["Quirks"]


@frozen(kw_only=True)
class Quirks:
    """Deviations of the emulated smsgateway24; all are off by default.

    Attributes:
        lists: ``smss`` and ``device`` are lists, not objects keyed by id.
        empty: value of an ``smss`` or ``device`` without entries: ``{}``, ``[]``, ``null``, or the field is missing.
        missing_error: a success has no ``error`` field.
        error_as_string: ``error`` is ``"0"`` or ``"1"``.
        message_variants: the ``message`` of a success changes from answer to answer: ``OK``, ``Ok``, ``ok``, empty, or
            ``Sms has been saved successfully``, whatever the function.
        ids_as_strings: every id in an answer is a string.
        http_errors: a refusal has HTTP status 400, or 401 for wrong credentials.
        published_text_only: a wrong token is refused with the only error text that the vendor has published, which
            names login and password.
        token_per_login: each gettoken makes a new token, and ends the previous one.
        gettoken_get_only: gettoken takes GET only, as the newest document says.
        timezone_type: PHP's ``timezone_type`` in dates: 3 for the zone's name, 1 for the offset, 2 for the
            abbreviation.
        output_zone: time zone of dates in answers and webhooks, unless getallsms gets a ``timezone``.
        urgent: values of ``urgent`` in lists: null or 1, null or true, or 0 or 1.
        bulk_customerid_zero: ``customerid`` is 0, not null, for messages of addalotofsms without one.
        listing_of_2021: lists have ``sim``, and ``timetosend`` is never null.
        no_senttime: ``senttime`` is null even for delivered messages.
        imei_text_null: an unknown ``imei`` is the text ``"null"``.
        siminfo: ``siminfo`` is a list of objects, null, or that list as JSON text.
        raw_json_bulk: addalotofsms also reads a bare JSON body without ``datajson``.
        partial_bulk: addalotofsms silently drops the items that it cannot accept, instead of refusing all items.
        last_id: addsms with several numbers answers with the id of the last message, not of the first.
        tag_name: name of savecontact's tag parameter that is understood.
        queued: messages pass through state 3 on their way from 1 to 2.
        article_webhooks: webhooks are in the format of the vendor's article (``event``), not of its reference page.
        webhook_date_objects: dates in webhooks are PHP date objects, not strings.
        old_webhooks: the webhook of a received text has no ``type``.
    """

    lists: bool = False
    empty: Literal["object", "list", "null", "missing"] = "object"
    missing_error: bool = False
    error_as_string: bool = False
    message_variants: bool = False
    ids_as_strings: bool = False
    http_errors: bool = False
    published_text_only: bool = False
    token_per_login: bool = False
    gettoken_get_only: bool = False
    timezone_type: Literal[1, 2, 3] = 3
    output_zone: str = "Europe/Paris"
    urgent: Literal["null_or_1", "null_or_true", "0_or_1"] = "null_or_1"
    bulk_customerid_zero: bool = False
    listing_of_2021: bool = False
    no_senttime: bool = False
    imei_text_null: bool = False
    siminfo: Literal["list", "null", "text"] = "list"
    raw_json_bulk: bool = False
    partial_bulk: bool = False
    last_id: bool = False
    tag_name: Literal["either", "tag_id", "ctag_id"] = "either"
    queued: bool = False
    article_webhooks: bool = False
    webhook_date_objects: bool = False
    old_webhooks: bool = False

    @classmethod
    def all(cls) -> Self:
        """Return all quirks that a client can survive, switched on at once.

        ``gettoken_get_only`` and ``tag_name`` stay off: each of them would break a client that follows another one of
        the vendor's documents.
        """
        return cls(
            lists=True,
            empty="list",
            missing_error=True,
            error_as_string=True,
            message_variants=True,
            ids_as_strings=True,
            http_errors=True,
            published_text_only=True,
            token_per_login=True,
            timezone_type=1,
            output_zone="Australia/Sydney",
            urgent="null_or_true",
            bulk_customerid_zero=True,
            listing_of_2021=True,
            no_senttime=True,
            imei_text_null=True,
            siminfo="text",
            raw_json_bulk=True,
            partial_bulk=True,
            last_id=True,
            queued=True,
            article_webhooks=True,
            webhook_date_objects=True,
            old_webhooks=True,
        )
