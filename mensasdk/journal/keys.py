"""Make keys of messages, unique within a campaign, and references of requests, which no other campaign has."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from typing import Final

import orjson

from mensasdk.messages import Message

__all__ = ["fingerprint", "instance_of", "message_key", "new_nonce", "request_reference"]

_KEY = 16


# Copied for each message, which takes half as long as making a new hash.
_HASH = hashlib.blake2b(digest_size=_KEY)


def message_key(message: Message, number: str) -> bytes:
    """Return the key of a message: a hash of sixteen bytes, equal for messages that count as the same.

    The hash is made of the number and the caller's reference. Without a reference it is made of the number and all that
    the person would read.

    Args:
        message: the message.
        number: the recipient in E.164, so that two spellings of a number give one key.
    """
    parts: tuple[object, ...]
    if message.reference is not None:
        parts = ("reference", number, message.reference)
    else:
        parts = ("text", number, message.text, message.template, message.variables)
    # JSON marks where each text begins and ends, so different messages are never written alike.
    try:
        written = orjson.dumps(parts, default=dict, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # orjson writes no half of a surrogate pair, nor every type that a variable may have; repr does
        if message.reference is None:
            parts = (*parts[:4], *sorted(message.variables.items()))
        written = repr(parts).encode()
    hashed = _HASH.copy()
    hashed.update(written)
    return hashed.digest()


def fingerprint(key: bytes) -> bytes:
    """Return the bytes that a `KeySet` holds for a key: the key itself if it has sixteen bytes, or else a hash."""
    return key if len(key) == _KEY else hashlib.blake2b(key, digest_size=_KEY).digest()


def new_nonce() -> str:
    """Return what tells a campaign from all others, also from those of its name: 64 random bits in 13 characters."""
    return base64.b32encode(secrets.token_bytes(8)).decode().rstrip("=").lower()


def request_reference(nonce: str, first: int) -> str:
    """Return the reference of a request that a vendor is given.

    Args:
        nonce: the nonce of the campaign.
        first: the ``seq`` of the first row that was claimed for the request.
    """
    return f"{nonce}.{first}"


_REFERENCE: Final = re.compile(r"([a-z2-7]{13})\.[0-9]+").fullmatch


def instance_of(reference: str) -> str | None:
    """Return the nonce in a reference; None if the reference is none of ours."""
    found = _REFERENCE(reference)
    return None if found is None else found[1]
