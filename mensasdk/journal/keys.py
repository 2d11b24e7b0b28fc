"""What tells one message, and one request, of a campaign from the others."""

from __future__ import annotations

import hashlib

import orjson

from mensasdk.messages import Message

__all__ = ["fingerprint", "message_key", "request_reference"]

_KEY = 16


# Copied for each message, which takes half as long as making one.
_HASH = hashlib.blake2b(digest_size=_KEY)


def message_key(message: Message, number: str) -> bytes:
    """What makes a message the same message: the caller's reference and the number, or else the number and all that
    the person would read. Sixteen bytes of a hash of it.

    Args:
        message: the message.
        number: its recipient in E.164, so that two spellings of one number are one.
    """
    parts: tuple[object, ...]
    if message.reference is not None:
        parts = ("reference", number, message.reference)
    else:
        parts = ("text", number, message.text, message.template, message.variables)
    # JSON says where each text begins and ends, so no two messages read the same.
    try:
        written = orjson.dumps(parts, default=dict, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # half of a surrogate pair, or a variable that is no text: then as Python writes it, in a tuple
        if message.reference is None:
            parts = (*parts[:4], *sorted(message.variables.items()))
        written = repr(parts).encode()
    hashed = _HASH.copy()
    hashed.update(written)
    return hashed.digest()


def fingerprint(key: bytes) -> bytes:
    """What tells a key from the others of a campaign, for a `KeySet`: a hash, which those of `message_key` are."""
    return key if len(key) == _KEY else hashlib.blake2b(key, digest_size=_KEY).digest()


def request_reference(campaign: str, first: int) -> str:
    """Give the reference of a request, which the ``seq`` of the first row that was claimed for it makes."""
    return f"{campaign}.{first}"
