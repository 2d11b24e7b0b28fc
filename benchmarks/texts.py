"""(g) Counting the parts of a text, beside other libraries; texts, libraries and clock are those of `bench_text`."""

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
    """The child's side."""

    def round(self) -> dict[str, Any]:
        """Microseconds a text of each library; those that are missing are named."""
        warnings.simplefilter("ignore")  # some use what their own dependencies have deprecated
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
        """Nothing to let go of."""
