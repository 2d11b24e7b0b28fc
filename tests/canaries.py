"""Words in the place of secrets, numbers and texts, and the search for them in whatever comes to light."""

from __future__ import annotations

import base64
import json
import pickle
import traceback
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from attrs import frozen

import mensasdk
from mensasdk import MensaError

PACKAGE = Path(mensasdk.__file__).parent


def spellings(*secrets: str) -> frozenset[str]:
    """Return the secrets in every spelling in which they could come to light."""
    found: set[str] = set()
    for secret in secrets:
        raw = secret.encode()
        found |= {secret, json.dumps(secret)[1:-1], repr(secret)[1:-1], repr(raw)[2:-1], raw.hex()}
        found |= {quote(secret), quote(secret, safe=""), quote_plus(secret)}
        found |= {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    return frozenset(found)


@frozen
class Canaries:
    """Credentials, and what a message says of a person; none of it may come to light.

    Attributes:
        secrets: the credentials, in every spelling.
        personal: parts of numbers and texts that nothing else could be, such as a port or a time.
    """

    secrets: frozenset[str]
    personal: frozenset[str]

    def check_absent(self, where: str, text: str, *, personal: bool = True) -> None:
        """Check that a text shows none of them; where the caller's own values may stand, none of the credentials."""
        found = [word for word in (self.secrets | self.personal if personal else self.secrets) if word in text]
        assert not found, f"{where} shows {found}"

    def check_error(self, error: MensaError) -> None:
        """Check an error, its pickle, and the variables that a crash reporter would show; it leads to no other one."""
        assert error.__cause__ is None
        assert error.__context__ is None
        self.check_absent("the error", f"{error} {error!r} {error.args} {vars(error)}")
        self.check_absent("the pickle", pickle.dumps(error, protocol=0).decode("latin-1"))
        self.check_absent("the traceback", "".join(traceback.format_exception(error)))
        for frame, _ in traceback.walk_tb(error.__traceback__):
            path = Path(frame.f_code.co_filename)
            if path.is_relative_to(PACKAGE) and not path.is_relative_to(PACKAGE / "sandbox"):
                for name, value in frame.f_locals.items():
                    self.check_absent(f"{name} in {frame.f_code.co_qualname}", repr(value), personal=False)

    def check_log(self, log: pytest.LogCaptureFixture) -> None:
        """Check every record, and what is written of it."""
        self.check_absent("the log", "\n".join(f"{one.getMessage()} {vars(one)}" for one in log.records))
        self.check_absent("the formatted log", log.text)
