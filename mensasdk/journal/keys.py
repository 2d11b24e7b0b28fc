"""Make keys of messages and references of requests, unique within a campaign."""

from __future__ import annotations

import hashlib

import orjson

from mensasdk.messages import Message

__all__ = ["fingerprint", "message_key", "request_reference"]

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


def request_reference(campaign: str, first: int) -> str:
    """Return the reference of a request, by the ``seq`` of the first row that was claimed for it."""
    return f"{campaign}.{first}"
