"""Rules of the house: who may import whom, what is public, and what `import mensasdk` costs."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import mensasdk
from mensasdk.vendors.base import Call

ROOT = Path(mensasdk.__file__).parent

_VALUES = ("messages", "phone", "text", "schedule", "placeholders")
# A room may import from these rooms (or from single files of theirs), from whatever stands below them, and from itself.
# docs/architecture.md says why.
BELOW: Mapping[str, Sequence[str]] = {
    "errors": (),
    "codes": (),
    "files": ("errors",),
    "arguments": ("errors",),
    "registry": ("errors",),
    "phone_quick": ("errors",),
    **dict.fromkeys(_VALUES, ("registry", "files", "phone_quick", "codes", "arguments")),
    "journal": _VALUES,
    "preflight": _VALUES,
    "codec": _VALUES,
    "transport": _VALUES,
    "limits": ("preflight.prices", *_VALUES),
    "vendors": ("codec", "transport", "limits", "preflight.prices"),
    "campaign": ("vendors", "journal", "limits", "preflight"),
    "delivery": ("journal",),
    "testing": ("journal",),
    # A misreading of a vendor's document must not cancel out: the sandbox shares no code with the clients.
    "sandbox": ("registry", "phone", "text"),
    "cli": ("campaign", "delivery", "sandbox"),
}
VENDORS = {path.name for path in (ROOT / "vendors").iterdir() if path.is_dir() and path.name != "__pycache__"}
# Where vendors may be named: their own folders, the exports, the registry's list, and the demo, which is about them.
NAMING = ("__init__.py", "registry.py", "vendors/", "sandbox/", "cli/demo/")


def allowed(room: str) -> set[str]:
    found: set[str] = set()
    for below in BELOW[room]:
        found |= {below} | allowed(below.partition(".")[0])
    return found


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(ROOT.rglob("*.py")):
        yield ".".join(("mensasdk", *path.relative_to(ROOT).with_suffix("").parts)), path


def imports(path: Path, module: str) -> Iterator[str]:
    """Find each module of ours that a file names in an import: at its top, for type checkers, or in a function.

    ``from mensasdk import phone`` names the file, ``from mensasdk import Message`` the public face.
    """
    package = module.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            name = ".".join(part for part in (base, node.module or "") if part)
            names = [inner if _file(inner := f"{name}.{alias.name}") else name for alias in node.names]
        yield from (name for name in names if name.partition(".")[0] == "mensasdk")


def _file(name: str) -> str | None:
    """Return the file that a dotted name stands for, as `modules` names it."""
    path = ROOT.joinpath(*name.split(".")[1:])
    if path.with_suffix(".py").is_file() and path != ROOT:
        return name
    return f"{name}.__init__" if (path / "__init__.py").is_file() else None


@pytest.mark.parametrize(("module", "path"), list(modules()), ids=lambda value: value if isinstance(value, str) else "")
def test_a_room_imports_only_from_rooms_below_it(module: str, path: Path) -> None:
    parts = module.removesuffix(".__init__").split(".")
    room = parts[1] if len(parts) > 1 else ""
    if room in {"", "_version", "_lazy", "_value", "__init__", "__main__"}:
        return
    for name in imports(path, module):
        target = name.removeprefix("mensasdk.")
        if target.partition(".")[0] in {room, "_version", "_lazy", "_value"}:
            continue
        assert {target, target.partition(".")[0]} & allowed(room), f"{module} imports {name}"


@pytest.mark.slow
def test_no_file_imports_itself_by_way_of_others() -> None:
    """Circles hide who needs whom, and make the order of imports matter.

    Imports for type checkers and inside of functions count.
    """
    graph = {module: {found for name in imports(path, module) if (found := _file(name))} for module, path in modules()}
    assert not [circle for circle in _circles(graph) if len(circle) > 1]


def _circles(graph: Mapping[str, set[str]]) -> Iterator[list[str]]:
    """Return the strongly connected parts of a graph, by Tarjan's algorithm."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []

    def visit(node: str) -> Iterator[list[str]]:
        order[node] = low[node] = len(order)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in order:
                yield from visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], order[other])
        if low[node] == order[node]:
            place = stack.index(node)
            yield stack[place:]
            del stack[place:]

    for node in graph:
        if node not in order:
            yield from visit(node)


def test_the_search_for_circles_finds_them() -> None:
    graph = {"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, "d": {"d"}, "e": {"d"}}
    assert sorted(sorted(circle) for circle in _circles(graph)) == [["a", "b", "c"], ["d"], ["e"]]


@pytest.mark.parametrize("vendor", sorted(VENDORS))
def test_vendors_do_not_know_each_other(vendor: str) -> None:
    for path in (ROOT / "vendors" / vendor).rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        for other in VENDORS - {vendor}:
            assert f"vendors.{other}" not in source, f"{path} knows {other}"


@pytest.mark.parametrize(("module", "path"), list(modules()), ids=lambda value: value if isinstance(value, str) else "")
def test_no_vendor_is_named_outside_its_own_folder(module: str, path: Path) -> None:
    """So that a fifth one needs no change anywhere: what there is to know about a vendor stands in its ``info``."""
    place = path.relative_to(ROOT).as_posix()
    if place.startswith(NAMING):
        return
    source = path.read_text(encoding="utf-8")
    found = re.findall(r"mensatek|envia.?sms|smsgateway24|env[ií]a ?tu ?sms", source, re.IGNORECASE)
    assert not found, f"{module} names {found}"


SHAPE = {"__init__", "batch", "client", "codes", "convert", "info", "models", "reconcile", "requests", "rules", "wire"}


@pytest.mark.parametrize("vendor", sorted(VENDORS))
def test_all_vendors_have_the_same_shape(vendor: str) -> None:
    paths = {path.stem: path for path in (ROOT / "vendors" / vendor).glob("*.py")}
    assert paths.keys() >= SHAPE
    home = f"mensasdk.vendors.{vendor}"
    [client] = [
        value
        for value in vars(importlib.import_module(f"{home}.client")).values()
        if _is_class_of(value, f"{home}.client")
    ]
    stem = client.__name__.removesuffix("Client")
    line = [(kind.__module__, kind.__name__) for kind in client.__mro__[:5]]
    layers = [(f"{home}.{layer.lower()}", f"{stem}{layer}") for layer in ("Client", "Batch", "Reconcile", "Wire")]
    assert line == [*layers, ("mensasdk.vendors.base", "VendorClient")]
    calls = {value.__module__ for value in _below(Call) if value.__module__.startswith(f"{home}.")}
    assert calls == {f"{home}.requests"}
    for name, path in paths.items():
        if name != "__init__":
            assert f"{home}.client" not in imports(path, f"{home}.{name}"), f"{path} imports the client"


def _is_class_of(value: object, module: str) -> bool:
    return isinstance(value, type) and value.__module__ == module


def _below(kind: type[Any]) -> Iterator[type[Any]]:
    children: list[type[Any]] = kind.__subclasses__()
    for child in children:
        yield child
        yield from _below(child)


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


FACES = ["mensasdk", "mensasdk.delivery", *(f"mensasdk.vendors.{vendor}" for vendor in sorted(VENDORS))]


@pytest.mark.parametrize("name", FACES)
def test_what_type_checkers_see_is_what_is_loaded(name: str) -> None:
    """Names are imported when they are used, by a table; type checkers read imports that never run."""
    face = importlib.import_module(name)
    tree = ast.parse(Path(face.__file__ or "").read_text(encoding="utf-8"))
    [block] = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {alias.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    [table] = [
        ast.literal_eval(call.args[1]) for node in block.orelse for call in ast.walk(node) if isinstance(call, ast.Call)
    ]
    assert seen == {public: room for room, names in table.items() for public in names.split()}
    assert set(seen) == set(face.__all__) - {"__version__"}
    for public, room in seen.items():
        assert getattr(face, public) is getattr(importlib.import_module(room or ""), public)
    assert set(face.__all__) <= set(dir(face))


@pytest.mark.parametrize("name", FACES)
def test_a_name_that_a_face_does_not_have_is_an_error(name: str) -> None:
    nonsense = "nonsense"
    with pytest.raises(AttributeError, match=f"module '{name}' has no attribute 'nonsense'"):
        getattr(importlib.import_module(name), nonsense)


# The contract with users. A name is added here when its feature lands, and never leaves.
CONTRACT = {
    *("Message", "Recipient", "OutcomeKind", "Outcome", "Delivery", "BatchSender", "BatchReport"),
    *("RateLimit", "RetryPolicy", "Timeouts", "MemoryJournal", "segments", "MensaError", "MensatekClient"),
    *("EnviaSmsClient", "SmsGateway24Client", "EnviaTuSmsClient", "Router", "SqliteJournal", "RateLimiter", "Code"),
    *("OptOuts", "DeliveryReceiver", "DeliveryLog", "outcome_of", "guard_cell", "unguard_cell"),
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


@pytest.mark.slow
def test_importing_mensasdk_loads_nothing_heavy() -> None:
    """Servers, terminal output, command line and phone tables are loaded when they are used."""
    heavy = ["aiohttp.web", "asyncpg", "click", "phonenumbers", "rich", "sqlite3", "mensasdk.sandbox", "mensasdk.cli"]
    # A receiver is a server.
    every = ", ".join(sorted(set(mensasdk.__all__) - {"__version__", "DeliveryReceiver"}))
    look = f"print([name for name in {heavy!r} if name in sys.modules])"
    code = f"import sys, mensasdk; from mensasdk import {every}; {look}"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # aiohttp itself imports none of them either; should that change, the client library is to blame, not us.
    code = f"import sys, aiohttp; {look}"
    bare = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(ast.literal_eval(found.stdout)) <= set(ast.literal_eval(bare.stdout))


@pytest.mark.parametrize("name", FACES)
def test_importing_a_face_alone_loads_nothing_at_all(name: str) -> None:
    """The faces beside a vendor's client can be asked for without the client and all that it needs."""
    look = "[name for name in ('aiohttp', 'attrs', 'cattrs', 'orjson', 'mensasdk.transport') if name in sys.modules]"
    found = subprocess.run(
        [sys.executable, "-c", f"import sys, {name}; print({look})"], capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == ["[]"]


@pytest.mark.slow
def test_importing_the_sandbox_loads_no_client() -> None:
    """Whoever emulates a vendor in a test of his own need not load what sends; the registry's words are enough."""
    code = "import sys, mensasdk.sandbox; print(*(name for name in sys.modules if name.startswith('mensasdk.vendors')))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


@pytest.mark.slow
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
