"""Run a contender in a process of its own, which does a round whenever its parent says so.

The child is ``python -m benchmarks.worker module:factory core '{"argument": ...}'``. It answers each line of JSON on
its input with a line of JSON on its output. So rounds of many contenders can take turns, each contender stays warm, and
the time and memory that it reports are its own.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from benchmarks.machine import pin
from benchmarks.measure import LeftOut, peak_mb

__all__ = ["Contestant", "Worker"]

ROOT = Path(__file__).resolve().parent.parent


class Contestant(Protocol):
    """Object that does the rounds in the child."""

    def round(self, **order: Any) -> dict[str, Any]:
        """Do one round, and return its figures."""

    def close(self) -> None:
        """Close connections and files."""


class Worker:
    """Child process of a contender, seen from its parent.

    Args:
        factory: ``module:function``, a function that the child calls to make a `Contestant`.
        core: the core that the child runs on; None for any.
        arguments: arguments of the function.

    Raises:
        LeftOut: a library that the child needs is missing.
        RuntimeError: the child failed in another way.
    """

    def __init__(self, factory: str, *, core: int | None, **arguments: Any) -> None:
        self._factory = factory
        command = [sys.executable, "-m", "benchmarks.worker", factory, json.dumps(core), json.dumps(arguments)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, encoding="utf-8"
        )
        try:
            self._answer()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def round(self, **order: Any) -> dict[str, Any]:
        """Let the child do one round, and return its figures, with the child's peak memory so far as ``peak_mb``."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End the child."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"_error": "it ended without an answer"}
        if "_left_out" in answer:
            raise LeftOut(answer["_left_out"])
        if "_error" in answer:
            raise RuntimeError(f"{self._factory}: {answer['_error']}")
        return answer


def main() -> None:
    out, sys.stdout = sys.stdout, sys.stderr  # so that text that a library prints is not read as an answer

    def say(answer: dict[str, Any]) -> None:
        out.write(json.dumps(answer) + "\n")
        out.flush()

    factory, core, arguments = sys.argv[1:]
    pin(json.loads(core))
    module, _, name = factory.partition(":")
    try:
        contestant: Contestant = getattr(importlib.import_module(module), name)(**json.loads(arguments))
    except LeftOut as reason:
        say({"_left_out": str(reason)})
        return
    except Exception:  # noqa: BLE001 - the parent reports it
        say({"_error": traceback.format_exc()})
        return
    say({"ready": True})
    try:
        for line in sys.stdin:
            try:
                say({**contestant.round(**json.loads(line)), "peak_mb": peak_mb()})
            except Exception:  # noqa: BLE001 - the parent reports it
                say({"_error": traceback.format_exc()})
    finally:
        contestant.close()


if __name__ == "__main__":
    main()
