"""Rules of the house: who may import whom, what is public, and what `import mensasdk` costs."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import mensasdk

ROOT = Path(mensasdk.__file__).parent

# A room may import from the rooms that stand after it, and from itself.
ALLOWED = {
    "errors": set(),
    "files": {"errors"},
    "messages": {"errors"},
    "phone": {"errors"},
    "text": {"errors"},
    "schedule": {"errors"},
    "placeholders": {"errors"},
    "preflight": {"messages", "phone", "text", "schedule", "placeholders", "files", "errors"},
    "codec": {"messages", "phone", "text", "schedule", "placeholders", "files", "errors"},
    "transport": {"messages", "phone", "text", "schedule", "placeholders", "files", "errors"},
    "vendors": {
        "preflight",
        "codec",
        "transport",
        "messages",
        "phone",
        "text",
        "schedule",
        "placeholders",
        "files",
        "errors",
    },
    "journal": {"messages", "phone", "text", "schedule", "placeholders", "files", "errors"},
    "limits": {"preflight", "messages", "phone", "text", "schedule", "placeholders", "files", "errors"},
    "campaign": {
        *("vendors", "journal", "limits", "preflight", "codec", "transport"),
        *("messages", "phone", "text", "schedule", "placeholders", "files", "errors"),
    },
    "delivery": {
        *("journal", "messages"),
        *("messages", "phone", "text", "schedule", "placeholders", "files", "errors"),
    },
    # A misreading of a vendor's document must not cancel out: the sandbox shares no code with the clients.
    "sandbox": {"phone", "text"},
    "cli": {
        *("sandbox", "delivery", "campaign", "journal", "limits", "vendors", "preflight", "codec", "transport"),
        *("messages", "phone", "text", "schedule", "placeholders", "files", "errors"),
    },
}
VENDORS = {path.name for path in (ROOT / "vendors").iterdir() if path.is_dir() and path.name != "__pycache__"}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(ROOT.rglob("*.py")):
        yield ".".join(("mensasdk", *path.relative_to(ROOT).with_suffix("").parts)), path


def imports(path: Path, module: str) -> Iterator[str]:
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            name = ".".join(part for part in (base, node.module or "") if part)
            # `from mensasdk import phone` names a room, `from mensasdk import Message` the public face.
            yield from (f"{name}.{alias.name}" if name == "mensasdk" else name for alias in node.names)


@pytest.mark.parametrize(("module", "path"), list(modules()), ids=lambda value: value if isinstance(value, str) else "")
def test_a_room_imports_only_from_rooms_below_it(module: str, path: Path) -> None:
    parts = module.removesuffix(".__init__").split(".")
    room = parts[1] if len(parts) > 1 else ""
    if room in {"", "_version", "__init__", "__main__"}:
        return
    for name in imports(path, module):
        target = name.split(".")
        if target[0] != "mensasdk" or len(target) < 2 or target[1] in {room, "_version"}:
            continue
        face = target[1] in mensasdk.__all__ and room == "cli"
        assert face or target[1] in ALLOWED[room], f"{module} imports {name}"


@pytest.mark.parametrize("vendor", sorted(VENDORS))
def test_vendors_do_not_know_each_other(vendor: str) -> None:
    for path in (ROOT / "vendors" / vendor).rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        for other in VENDORS - {vendor}:
            assert f"vendors.{other}" not in source, f"{path} knows {other}"


def test_all_is_sorted_complete_and_real() -> None:
    assert list(mensasdk.__all__) == sorted(mensasdk.__all__)
    for name in mensasdk.__all__:
        assert getattr(mensasdk, name) is not None
    public = {
        name
        for name, value in vars(mensasdk).items()
        if not name.startswith("_") and not isinstance(value, type(sys)) and name != "annotations"
    }
    assert public <= set(mensasdk.__all__)


def test_what_type_checkers_see_is_what_is_loaded() -> None:
    """Names are imported when they are used, by a table; type checkers read imports that never run."""
    tree = ast.parse((ROOT / "__init__.py").read_text(encoding="utf-8"))
    [block] = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {alias.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == mensasdk._HOME
    assert set(seen) | {"__version__"} == set(mensasdk.__all__)
    for name, room in seen.items():
        assert getattr(mensasdk, name) is getattr(importlib.import_module(room or ""), name)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        mensasdk.nonsense  # noqa: B018
    assert set(mensasdk.__all__) <= set(dir(mensasdk))


# The contract with users. A name is added here when its feature lands, and never leaves.
CONTRACT = {
    *("Message", "Recipient", "OutcomeKind", "Outcome", "Delivery", "BatchSender", "BatchReport"),
    *("RateLimit", "RetryPolicy", "Timeouts", "MemoryJournal", "segments", "MensaError", "MensatekClient"),
    *("EnviaSmsClient", "SmsGateway24Client", "EnviaTuSmsClient", "Router", "SqliteJournal"),
}


def test_the_names_of_the_contract_are_public() -> None:
    assert set(mensasdk.__all__) >= CONTRACT


@pytest.mark.parametrize(
    "name", [info.name for info in pkgutil.walk_packages([str(ROOT)], "mensasdk.") if "__main__" not in info.name]
)
def test_every_module_declares_names_that_exist(name: str) -> None:
    module = importlib.import_module(name)
    for public in getattr(module, "__all__", ()):
        assert hasattr(module, public), f"{name}.{public}"


def test_every_public_thing_has_a_docstring() -> None:
    for name in mensasdk.__all__:
        value = getattr(mensasdk, name)
        if isinstance(value, type) or callable(value):
            assert (value.__doc__ or "").strip(), name


def test_importing_mensasdk_loads_nothing_heavy() -> None:
    """Servers, terminal output, command line and phone tables are loaded when they are used."""
    heavy = ["aiohttp.web", "click", "phonenumbers", "rich", "sqlite3", "mensasdk.sandbox", "mensasdk.cli"]
    every = ", ".join(sorted(name for name in mensasdk.__all__ if name != "__version__"))
    look = f"print([name for name in {heavy!r} if name in sys.modules])"
    code = f"import sys, mensasdk; from mensasdk import {every}; {look}"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # aiohttp itself imports none of them either; should that change, the client library is to blame, not us.
    code = f"import sys, aiohttp; {look}"
    bare = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(ast.literal_eval(found.stdout)) <= set(ast.literal_eval(bare.stdout))


def test_importing_mensasdk_alone_loads_nothing_at_all() -> None:
    code = "import sys, mensasdk; print('aiohttp' in sys.modules, 'attrs' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "False"]


def test_the_phone_tables_are_there_before_the_first_send() -> None:
    """Reading them takes a tenth of a second, for which no loop that sends should stand still."""
    code = (
        "import sys; from mensasdk import MensatekClient; print('phonenumbers' in sys.modules);"
        "client = MensatekClient('u', 't'); print('phonenumbers' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "True"]


def test_the_package_is_marked_as_typed() -> None:
    assert (ROOT / "py.typed").is_file()


def test_no_room_has_grown_out_of_hand() -> None:
    """A module that passes 500 lines wants to be two."""
    long = {str(path.relative_to(ROOT)): count for _, path in modules() if (count := _lines(path)) > 500}
    assert not long


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())
