"""A rule turned round in a copy of the packages, and what the test that names it says to that.

The parent process knows third-party packages only, never ours: each inversion is a fork of it that
looks at its own copy of the tree, in which one file is changed and all others are links.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGES = ("domain", "services", "projections", "adapters")
_TREE = (*PACKAGES, "tests", "pyproject.toml")
_SAID, _REPORT = "said", "report.json"
_NOTHING = {"broken": ["the fork ended before it could report"]}


class RuleMoved(Exception):
    """What an inversion turns round is not where it says, or is there more than once."""


@dataclass(frozen=True)
class Inversion:
    """In `file`, `old` becomes `new`; then `test` has to fail.

    `server`: the test needs the fixtures of conftest.py, so each try starts a PostgreSQL.
    """

    line: str
    file: str
    old: str
    new: str
    test: str
    server: bool = False

    def inverted(self) -> str:
        """The text of the file, turned round."""
        if not self.file.startswith(PACKAGES):
            raise RuleMoved(f"{self.line}: {self.file} is no file of {', '.join(PACKAGES)}")
        path = ROOT / self.file
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        times = text.count(self.old)
        if times != 1 or self.old == self.new:
            raise RuleMoved(
                f"{self.line}: {self.file} has {times} times {self.old!r}: the rule moved, "
                f"so say in law_coverage.toml where it is now"
            )
        return text.replace(self.old, self.new)


@dataclass
class Outcome:
    """What the tests of one fork said."""

    passed: int = 0
    refuted: list[str] = field(default_factory=list)
    """Tests that failed because they state something else: what an inversion has to lead to."""
    broken: list[str] = field(default_factory=list)
    """Tests that failed because nothing works any more: they prove nothing."""
    modules: list[str] = field(default_factory=list)
    said: str = ""
    seconds: float = 0.0

    @property
    def caught(self) -> bool:
        return bool(self.refuted) and not self.broken

    @property
    def fine(self) -> bool:
        return self.passed > 0 and not self.refuted and not self.broken


def unchanged(tests: Collection[str], *, server: bool) -> Outcome:
    """The tests as they are, which must pass before anything is inverted.

    Afterwards the parent knows every third-party module that they need, so that forks are quick.
    """
    outcome = _Fork(tests, server=server).ended()
    for name in outcome.modules:
        with suppress(Exception):
            importlib.import_module(name)
    gc.freeze()  # what all forks share, none of them has to look through
    return outcome


def inverted(some: Iterable[Inversion], at_once: int) -> Iterator[tuple[Inversion, Outcome]]:
    """Each with what its test said, in the order in which they end."""
    running: dict[int, tuple[Inversion, _Fork]] = {}

    def next_to_end() -> tuple[Inversion, Outcome]:
        inversion, fork = running.pop(os.wait()[0])
        return inversion, fork.outcome()

    for inversion in some:
        if len(running) == at_once:
            yield next_to_end()
        fork = _Fork([inversion.test], inversion, server=inversion.server)
        running[fork.process] = inversion, fork
    while running:
        yield next_to_end()


class _Fork:
    """Runs tests in a tree of its own, in which at most one file is not a link."""

    def __init__(
        self, tests: Collection[str], inversion: Inversion | None = None, *, server: bool
    ) -> None:
        self.began = time.monotonic()
        self.tree = Path(tempfile.mkdtemp(prefix="trettio-inversion-"))
        for name in _TREE:
            (self.tree / name).symlink_to(ROOT / name)
        if inversion:
            _change(self.tree, inversion.file, inversion.inverted())
        self.process = os.fork()
        if self.process == 0:
            _become(self.tree, tests, inversion, server=server)

    def ended(self) -> Outcome:
        os.waitpid(self.process, 0)
        return self.outcome()

    def outcome(self) -> Outcome:
        """What it left behind when it ended; nothing is left after that."""
        said, report = self.tree / _SAID, self.tree / _REPORT
        words = said.read_text(encoding="utf-8", errors="replace") if said.exists() else ""
        told = json.loads(report.read_text(encoding="utf-8")) if report.exists() else _NOTHING
        shutil.rmtree(self.tree)
        return Outcome(**told, said=words, seconds=time.monotonic() - self.began)


def _change(tree: Path, file: str, text: str) -> None:
    """Along the path to the file, folders of links instead of links to folders."""
    here = tree
    for part in Path(file).parts[:-1]:
        here /= part
        folder = here.resolve()
        here.unlink()
        here.mkdir()
        for each in folder.iterdir():
            (here / each.name).symlink_to(each)
    changed = tree / file
    changed.unlink()
    changed.write_text(text, encoding="utf-8")


def _become(
    tree: Path, tests: Collection[str], inversion: Inversion | None, *, server: bool
) -> None:
    """The rest of a fork's life: our packages from the copy, no trace in the tree."""
    try:
        said = os.open(tree / _SAID, os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(said, 1)
        os.dup2(said, 2)
        os.chdir(tree)
        sys.dont_write_bytecode = True
        sys.path[:] = [str(tree), *(p for p in sys.path if Path(p or ".").resolve() != ROOT)]
        for name in [n for n in sys.modules if n.partition(".")[0] in {*PACKAGES, "tests"}]:
            del sys.modules[name]
        importlib.invalidate_caches()
        told = _run(tests, inversion, server=server)
        (tree / _REPORT).write_text(json.dumps(told), encoding="utf-8")
    finally:
        os._exit(0)


def _run(tests: Collection[str], inversion: Inversion | None, *, server: bool) -> dict[str, Any]:
    import pytest  # not before the fork knows where to look

    # Only what pyproject.toml's own options need: to load the others takes longer than most tests.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    listener = _Listener(inversion.line if inversion else None)
    pytest.main(
        [
            *("-p", "xdist.plugin", "-p", "pytest_timeout"),
            *("-n0", "-q", "--no-header", "--tb=native"),
            *("-p", "no:cacheprovider", "-p", "no:unraisableexception"),
            *([] if server else ["--noconftest"]),
            *(["--exitfirst"] if inversion else []),
            *tests,
        ],
        plugins=[listener],
    )
    return {
        "passed": listener.passed,
        "refuted": listener.refuted,
        "broken": listener.broken,
        "modules": list(_third_party()),
    }


class _Listener:
    """Tells a test that says no from a test that could not say anything."""

    def __init__(self, line: str | None) -> None:
        self.line = line
        self.passed = 0
        self.refuted: list[str] = []
        self.broken: list[str] = []

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.broken.append(f"{report.nodeid} cannot be collected")

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Where the rows of a test name their lines, only those of this line count."""
        named = [item for item in items if f"[{self.line}:" in item.name]
        items[:] = named or items

    def pytest_runtest_makereport(self, item: Any, call: Any) -> None:
        if call.excinfo is None:
            self.passed += call.when == "call"
            return
        error = call.excinfo.value
        if type(error).__name__ == "Skipped":
            self.broken.append(f"{item.name} was skipped: {error}")
        elif call.when == "call" and all(map(_states_a_fact, _leaves(error))):
            self.refuted.append(item.name)
        else:
            words = str(error).partition("\n")[0]
            self.broken.append(f"{item.name} ({call.when}): {type(error).__name__}: {words}")


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _leaves(each)
    else:
        yield error


def _states_a_fact(error: BaseException) -> bool:
    """A failed assertion, an error that did not come, or a rule that said no where it must not."""
    names = {each.__name__ for each in type(error).__mro__}
    return bool(names & {"AssertionError", "Failed", "DomainError"})


def _third_party() -> Iterable[str]:
    known = {"__main__", *PACKAGES, "tests", "conftest"}
    return sorted(
        name
        for name, module in sys.modules.items()
        if name.partition(".")[0] not in known
        and "site-packages" in (getattr(module, "__file__", None) or "")
    )


def sample(inversions: Sequence[Inversion], size: int, seed: int) -> Sequence[Inversion]:
    """So many of them, another handful for each seed; consecutive seeds leave none out."""
    start = seed * size % len(inversions)
    return [*inversions, *inversions][start : start + min(size, len(inversions))]
