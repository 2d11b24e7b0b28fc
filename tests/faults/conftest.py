"""The rows of the document, which are there before the first test is collected."""

from __future__ import annotations

from . import tables  # noqa: F401 - it registers the rows
