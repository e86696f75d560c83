"""The kit as a plugin of pytest: `pytest --trettio-connector pkg.module` runs the contract tests.

It is loaded in every run of pytest where Trettio is installed, so it imports nothing of Trettio
before it is asked to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from adapters.connector_kit.world import World

OPTION = "trettio_connector"
CHECKS = ("checks", "checks_of_trouble", "checks_of_answers", "checks_of_files")
_WORLDS = pytest.StashKey[Mapping[str, "type[World]"]]()

for _name in ("case", *CHECKS):
    pytest.register_assert_rewrite(f"{__package__}.{_name}")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("trettio").addoption(
        "--trettio-connector",
        dest=OPTION,
        action="append",
        default=[],
        metavar="pkg.module",
        help="run Trettio's contract tests on the worlds of this module (repeatable)",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", f"{OPTION}(wanted, deeds): a contract test, for the worlds that are wanted"
    )
    named: list[str] = config.getoption(OPTION)
    if not named:
        return
    config.stash[_WORLDS] = {name: world for one in named for name, world in worlds_in(one).items()}
    files = [str(Path(__file__).with_name(f"{name}.py")) for name in CHECKS]
    if config.args_source is pytest.Config.ArgsSource.ARGS:
        config.args += files
    else:
        config.args = files


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each world that it is for, and for each deed where it asks for one."""
    mark = metafunc.definition.get_closest_marker(OPTION)
    if mark is None:
        return
    worlds: Mapping[str, type[World]] = getattr(metafunc.module, "WORLDS", None) or (
        metafunc.config.stash.get(_WORLDS, {})
    )
    is_wanted: Callable[[type[World]], bool] = mark.kwargs["wanted"]
    wanted = {name: worlds[name] for name in sorted(worlds) if is_wanted(worlds[name])}
    deeds: Callable[[type[World]], list[Callable[..., object]]] | None = mark.kwargs.get("deeds")
    if deeds is None:
        metafunc.parametrize("case", list(wanted.items()), ids=list(wanted), indirect=True)
        return
    metafunc.parametrize(
        ("case", "deed"),
        [
            pytest.param((name, world), deed, id=f"{name}-{deed.__name__}")
            for name, world in wanted.items()
            for deed in deeds(world)
        ],
        indirect=["case"],
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is for none of the worlds is not worth a line that says so."""
    if not config.getoption(OPTION):
        return
    moot = [
        item
        for item in items
        if item.get_closest_marker(OPTION) and item.get_closest_marker("skip")
    ]
    config.hook.pytest_deselected(items=moot)
    items[:] = [item for item in items if item not in moot]


def worlds_in(named: str) -> dict[str, type[World]]:
    """The worlds of a module, by their connectors' names."""
    from adapters.connector_kit.world import World

    try:
        module = import_module(named)
    except ImportError as error:
        raise pytest.UsageError(f"--trettio-connector {named}: {error}") from None
    found = {
        world.connector or world.__name__: world
        for world in vars(module).values()
        if isinstance(world, type) and issubclass(world, World) and world.__module__ == named
    }
    if not found:
        raise pytest.UsageError(
            f"--trettio-connector {named}: has no World: make a subclass of"
            " adapters.connector_kit.World that says what the connector is tried on"
        )
    return found
