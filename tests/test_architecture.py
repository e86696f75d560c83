"""The shape of the code: which way imports point, what the domain knows, what no file may hold."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = ("domain", "projections", "services", "adapters")
"""From the inside out: each may import itself and what stands before it."""

FILES = sorted(file for layer in LAYERS for file in (ROOT / layer).rglob("*.py"))
MODULES = {
    ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
    for file in FILES
}

LONGEST = 750
LONGER_FOR_A_REASON = {
    "adapters/outbound/connectors/mailchimp.py": "one connected system is one module",
    "adapters/outbound/connectors/pretix.py": "one connected system is one module",
}

VENDORS = {"api.stripe.com", "mailchimp.com"}
NEVER_ASKED = {"json-schema.org"}  # the name of a dialect, written as an address


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def imports(file: Path) -> Iterator[str]:
    """Every module that a file imports, as far as names tell: `from a import b` may mean `a.b`."""
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively: give the full name"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if name in MODULES else str(node.module)


def named(file: Path) -> str:
    return str(file.relative_to(ROOT))


@pytest.mark.parametrize("file", FILES, ids=named)
def test_imports_point_inwards(file: Path) -> None:
    layer = LAYERS.index(file.relative_to(ROOT).parts[0])
    outer = set(LAYERS[layer + 1 :])

    assert not {name for name in imports(file) if name.partition(".")[0] in outer}


def test_nobody_imports_the_tests() -> None:
    assert not [
        named(file)
        for file in FILES
        if any(name.partition(".")[0] == "tests" for name in imports(file))
    ]


@pytest.mark.parametrize("file", sorted((ROOT / "domain").rglob("*.py")), ids=named)
def test_the_domain_knows_the_standard_library_and_events_and_nothing_else(file: Path) -> None:
    for name in imports(file):
        top = name.partition(".")[0]
        assert top == "domain" or name == "eventsourcing.domain" or top in sys.stdlib_module_names


def test_imports_run_in_no_circle() -> None:
    known = {name: set(imports(file)) & MODULES.keys() - {name} for name, file in MODULES.items()}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " → ".join((*path[path.index(name) :], name))
        if name not in done:
            for other in known[name]:
                visit(other, (*path, name))
            done.add(name)

    for name in known:
        visit(name, ())


@pytest.mark.parametrize("file", sorted((ROOT / "domain").rglob("*.py")), ids=named)
def test_the_domain_reads_no_clock(file: Path) -> None:
    """Time is an argument, so that every rule can be tried on any day."""
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"now", "utcnow", "today", "time_ns", "monotonic"}
        if isinstance(node, ast.Name | ast.alias):
            assert (node.id if isinstance(node, ast.Name) else node.name) != "time"


@pytest.mark.parametrize("file", FILES, ids=named)
def test_no_file_is_longer_than_its_one_reason(file: Path) -> None:
    lines = len(file.read_text(encoding="utf-8").splitlines())

    assert lines <= LONGEST or named(file) in LONGER_FOR_A_REASON


def test_no_reason_outlives_its_long_file() -> None:
    for name in LONGER_FOR_A_REASON:
        assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) > LONGEST


@pytest.mark.parametrize("file", FILES, ids=named)
def test_no_host_on_the_network_is_named_in_the_source(file: Path) -> None:
    """Where a system lies is a setting, unless a vendor has one address for everybody."""
    hosts = set(re.findall(r"https?://([\w.-]+\.[a-z]{2,})\b", file.read_text(encoding="utf-8")))

    assert hosts <= VENDORS | NEVER_ASKED
