"""Describe the machine and its load, so that results show their noise."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from pathlib import Path
from typing import Any

__all__ = ["cores", "describe", "load", "pin", "versions"]

PACKAGES = (
    *(
        "mensasdk",
        "aiohttp",
        "attrs",
        "cattrs",
        "orjson",
        "phonenumbers",
        "yarl",
        "multidict",
        "uvloop",
        "click",
        "rich",
    ),
    *("twilio", "slack_sdk", "aiogram", "httpx", "telnyx", "requests", "matplotlib"),
    *("smsutil", "sms-toolkit", "sms-counter", "smpplib", "py-smsify", "gsm0338"),
)


def cores() -> tuple[int, int] | None:
    """Return a core for the client and one for the server; None with a single core, or where none can be chosen."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[0], allowed[1]) if len(allowed) > 1 else None


def pin(core: int | None) -> None:
    """Keep this process, and all threads that it starts later, on one core."""
    if core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


def load() -> list[float]:
    """Return the load averages over 1, 5 and 15 minutes."""
    return [round(value, 2) for value in os.getloadavg()]


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that are installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def describe() -> dict[str, Any]:
    """Return a description of the machine for the results."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "usable_cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "architecture": platform.machine(),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()} ({platform.python_compiler()})",
        "executable_flags": [name for name in ("-O",) if sys.flags.optimize],
        "versions": versions(),
    }


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"
