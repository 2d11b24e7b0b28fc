"""Measure (g), counting the parts of a text, with the texts, libraries and clock of `bench_text`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from typing import Any

from benchmarks import bench_text
from mensasdk import segments

__all__ = ["Texts"]


class Texts:
    """Contestant in a worker's process."""

    def round(self) -> dict[str, Any]:
        """Return the microseconds per text of each library, and the names of missing libraries."""
        warnings.simplefilter("ignore")  # some libraries use deprecated parts of others
        said = StringIO()
        with redirect_stdout(said):
            libraries: Mapping[str, Callable[[str], int]] = bench_text.installed()
        found: dict[str, dict[str, float]] = {}
        wrong: dict[str, list[str]] = {}
        for label, text in bench_text.TEXTS.items():
            parts = segments(text).parts
            functions: dict[str, Callable[[], object]] = {"mensasdk": partial(segments, text)}
            for name, count in libraries.items():
                functions[name] = partial(count, text)
                if count(text) != parts:
                    wrong.setdefault(name, []).append(label)
            found[label] = bench_text.microseconds(functions)
        return {"us": found, "wrong": wrong, "left_out": said.getvalue().splitlines()}

    def close(self) -> None:
        """Do nothing, as nothing is open."""
