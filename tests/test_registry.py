"""The registry: which vendors there are, what it says of each, and what becomes of packages that are broken."""

from __future__ import annotations

import asyncio
import inspect
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import evolve
from cli_support import run_process
from fifth_vendor.info import INFO as FIFTH_INFO
from installed import FIFTH, install, path_with
from phonenumbers import SUPPORTED_REGIONS

from mensasdk import registry
from mensasdk.cli.vendors import Settings, Wishes, make_client, make_options
from mensasdk.errors import ConfigurationError
from mensasdk.messages import VendorOptions
from mensasdk.registry import CallbackInfo, OptionInfo, VendorInfo, load, vendor_info, vendors
from mensasdk.sandbox import Vendor

OURS = ["envia_sms", "enviatusms", "mensatek", "smsgateway24"]
INFOS = [pytest.param(info, id=info.name) for info in (*vendors().values(), FIFTH_INFO)]

# Packages that are not as they should be: the module of each, and what is said of it.
BROKEN = {
    "missing": ("", "AttributeError"),
    "failing": ("raise RuntimeError('secret-canary')", "RuntimeError"),
    "needing": ("import no_such_package", "ModuleNotFoundError"),
    "shouting": (
        "from mensasdk.registry import OptionInfo\nINFO = OptionInfo(name='Label', help='')",
        "cannot be loaded: name must be small letters, digits and underscores, not 'Label'",
    ),
    "other": ("INFO = 'fifth'", "is not a VendorInfo"),
}


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[Path]:
    """Make a folder with all of them; for a process, or for the test's own."""
    for name, (source, _) in BROKEN.items():
        (tmp_path / f"broken_{name}.py").write_text(source + "\n")
    points = {name: f"broken_{name}:INFO" for name in BROKEN}
    yield install(tmp_path, **points, absent="broken_absent:INFO")
    for name in BROKEN:
        sys.modules.pop(f"broken_{name}", None)


# ------------------------------------------------------------------------------------------------ which there are


def test_there_are_ours_and_those_of_packages(installed: Callable[[Path], None]) -> None:
    assert list(vendors()) == OURS
    installed(FIFTH)
    assert list(vendors()) == sorted([*OURS, "fifth"])
    assert vendor_info("fifth") is FIFTH_INFO


def test_a_broken_package_is_logged_and_left_out_and_the_others_work(
    installed: Callable[[Path], None], broken: Path, caplog: pytest.LogCaptureFixture
) -> None:
    installed(broken)
    installed(FIFTH)
    with caplog.at_level(logging.WARNING, "mensasdk"):
        assert list(vendors()) == sorted([*OURS, "fifth"])
    said = {record.args[0]: record.getMessage() for record in caplog.records if isinstance(record.args, tuple)}
    assert said.keys() == {*BROKEN, "absent"}
    for name, (_, words) in BROKEN.items():
        assert words in said[name]
        assert f"broken_{name}:INFO" in said[name]
    assert "ModuleNotFoundError" in said["absent"]
    assert "canary" not in caplog.text


@pytest.mark.slow
async def test_the_command_says_why_a_vendor_is_missing_and_serves_the_others(broken: Path) -> None:
    ended = await run_process("segments", "Hola", "--vendor", "fifth", box=None, PYTHONPATH=path_with(broken, FIFTH))
    assert ended.code == 0, ended.err
    lines = ended.err.splitlines()
    assert len(lines) == len(BROKEN) + 1
    assert "Warning: the vendor failing (broken_failing:INFO) cannot be loaded: RuntimeError" in lines


def test_nobody_of_that_name() -> None:
    with pytest.raises(ConfigurationError, match=f"no vendor 'nobody'; there are {', '.join(OURS)}$"):
        vendor_info("nobody")


def test_two_of_one_name_are_refused(installed: Callable[[Path], None], tmp_path: Path) -> None:
    _second_fifth(tmp_path)
    installed(FIFTH)
    installed(tmp_path)
    with pytest.raises(ConfigurationError, match=r"two vendors are called 'fifth': .* uninstall the package of one"):
        vendors()


@pytest.mark.slow
async def test_the_command_refuses_two_of_one_name_in_one_sentence(tmp_path: Path) -> None:
    path = path_with(FIFTH, _second_fifth(tmp_path))
    for arguments in (("credits", "--vendor", "mensatek"), ("send", "people.csv"), ("segments", "Hola")):
        ended = await run_process(*arguments, box=None, PYTHONPATH=path)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith("Error: two vendors are called 'fifth'")
        assert len(ended.err.splitlines()) == 1


def _second_fifth(folder: Path) -> Path:
    return _variant(folder, "evolve(INFO, client='elsewhere:Client')")


def _variant(folder: Path, source: str) -> Path:
    """Write a package whose vendor is the fifth with a difference."""
    lines = (
        "from attrs import evolve",
        "from fifth_vendor.info import INFO",
        "from mensasdk.registry import OptionInfo",
        f"VARIANT = {source}",
    )
    (folder / "variant_vendor.py").write_text("\n".join(lines) + "\n")
    return install(folder, variant="variant_vendor:VARIANT")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("name='text', help=''", "sixth has an option --text, which the command has itself"),
        ("name='rate', help=''", "sixth has an option --rate, which the command has itself"),
        ("name='list', help=''", "sixth has an option --list, which the command has itself"),
        ("name='file', help=''", "sixth has an option --file, which the command has itself"),
        ("name='sim', help=''", "--sim is not the same kind of option for sixth and smsgateway24"),
        ("name='unicode', help=''", "--unicode is not the same kind of option for envia_sms and mensatek and sixth"),
    ],
)
async def test_an_option_that_would_change_the_others_is_refused(tmp_path: Path, option: str, words: str) -> None:
    """It would go to the wrong vendor, or in the place of one of the command's own."""
    variant = _variant(tmp_path, f"evolve(INFO, name='sixth', options=(OptionInfo({option}),))")
    # The fifth's package can be imported, and only the sixth is found.
    (tmp_path / "fifth_vendor").symlink_to(FIFTH / "fifth_vendor")
    path = path_with(variant)
    both = await asyncio.gather(
        *(run_process(command, "--help", box=None, PYTHONPATH=path) for command in ("send", "segments"))
    )
    assert (both[0].code, both[0].out) == (2, "")
    assert words in both[0].err
    assert len(both[0].err.splitlines()) == 1
    assert (both[1].code, both[1].err) == (0, "")


@pytest.mark.parametrize("name", ["", "Fifth", "fifth-one", "5th", "fífth", "fifth one"])
def test_a_name_that_can_stand_in_no_variable_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="small letters"):
        evolve(FIFTH_INFO, name=name)
    with pytest.raises(ConfigurationError, match="small letters"):
        OptionInfo(name=name, help="")


# ------------------------------------------------------------------------------------------- what it says of each


@pytest.mark.parametrize("info", INFOS)
def test_what_an_info_names_is_there(info: VendorInfo) -> None:
    client = load(info.client)
    assert isinstance(client, type)
    assert client.vendor == info.name  # type: ignore[attr-defined]
    assert client.text_rule.vendor == info.name  # type: ignore[attr-defined]
    if info.options_class is not None:
        assert issubclass(load(info.options_class), VendorOptions)
    if info.callbacks is not None:
        inspect.signature(load(info.callbacks.parser)).bind(b"{}", "application/json")
        assert info.callbacks.proof in {"password", "path_secret"}
    assert info.emulator is not None
    emulator = load(info.emulator)
    assert issubclass(emulator, Vendor)
    assert emulator.name == info.name
    assert {*emulator().credentials()} <= {*info.credentials, *info.credentials_instead}
    assert info.asked_with is None or hasattr(client, info.asked_with.removeprefix(f"{client.__name__}."))


@pytest.mark.parametrize("info", INFOS)
def test_what_an_info_gives_to_a_client_is_what_it_takes(info: VendorInfo) -> None:
    takes = inspect.signature(load(info.client)).parameters
    common = {"default_country", "base_url", "transport", "timeouts", "retry", "hooks"}
    assert takes.keys() >= {*info.credentials, *info.credentials_instead, *common}
    needed = {name for name, one in takes.items() if one.default is one.empty}
    assert needed <= {*info.credentials}


@pytest.mark.parametrize("info", INFOS)
async def test_each_option_of_the_command_gets_to_where_it_is_passed(info: VendorInfo) -> None:
    for names in filter(None, (info.credentials, info.credentials_instead)):
        for option in (None, *info.options):
            wishes = Wishes() if option is None else Wishes(options={option.name: _value(option)})
            client = make_client(info, Settings(dict.fromkeys(names, "word")), wishes=wishes)
            await client.aclose()
            options = make_options(info, wishes)
            if option is None or option.passed_to == "client":
                assert options is None
            else:
                assert options != load(info.options_class or "")()
    assert len({option.name for option in info.options}) == len(info.options)


def _value(option: OptionInfo) -> object:
    if option.kind is bool:
        return True
    return "word" if option.kind is str else (option.bounds or (1, 1))[0]


@pytest.mark.parametrize("info", INFOS)
def test_an_info_says_what_a_person_needs(info: VendorInfo) -> None:
    assert info.title
    assert info.home is None or info.home in SUPPORTED_REGIONS
    assert not {option.name for option in info.options} & info.refuses.keys()
    assert (info.balance is None) <= (not info.unit)
    assert info.settles
    assert info.undecided
    assert (info.callbacks is None) == (info.asked_with is not None)
    for words in (*info.refuses.values(), info.settles, info.no_balance):
        assert words == words.strip()
        assert not words.endswith(".")


def test_infos_and_their_registry_load_nothing_heavy() -> None:
    """Whoever asks for help, or looks into a journal, should not wait for what sends."""
    code = (
        "import sys; from mensasdk.registry import vendors; print(*vendors());"
        "print([name for name in sys.modules if name in ('aiohttp', 'cattrs', 'click', 'orjson', 'phonenumbers')"
        " or name.startswith(('mensasdk.transport', 'mensasdk.codec', 'fifth_vendor.')) and name != 'fifth_vendor.info'"
        " or name.endswith('.client')])"
    )
    environment = {"PYTHONPATH": path_with(FIFTH)}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert found.stdout.splitlines() == [" ".join(sorted([*OURS, "fifth"])), "[]"]


def test_an_option_is_found_by_its_name() -> None:
    info = VendorInfo(
        name="sixth",
        title="Sixth",
        client="sixth:Client",
        credentials=("key",),
        options=(OptionInfo(name="two_words", help=""),),
        refuses={"sender": "it has none"},
        callbacks=CallbackInfo(parser="sixth:parse", proof="path_secret"),
    )
    assert [info.has(name) for name in ("two_words", "sender", "schedule", "label")] == [True, False, True, False]
    option = info.option("two_words")
    assert option is not None
    assert option.flag == "--two-words"
    assert info.option("label") is None
    assert registry.GROUP == "mensasdk.vendors"
