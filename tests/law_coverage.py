"""Which test proves which line of the law, and what none can: `python -m tests.law_coverage`.

`law_coverage.toml` has the lines, each in a few words of our own. The tests are found by reading
them: a test proves the lines that its name or its docstring names. With `--invert` the rules behind
the lines are turned round one by one, and the test that names the line has to fail.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.inversions import Inversion, RuleMoved, inverted, sample, unchanged
from tests.support.unhurried import unhurried

TESTS = Path(__file__).parent
DATA = Path(__file__).with_suffix(".toml")
TABLES = {"tests/domain/decisions.txt": "tests/domain/test_decisions.py::test_a_record_becomes"}
"""Tests whose rows each name their line, in the first column of a file."""

_ROW = r"(?: row (?:\d+(?:\(\d\))?|[a-z][a-z-]*))?"
_NAME = rf"(?:AK|GK|OK|MU|AO|X|E)-\d\d\b|\bB\.\d(?:\.\d)?(?!\w){_ROW}"
_REFERENCE = re.compile(rf"\b({_NAME})(?: to ({_NAME}))?")


@dataclass(frozen=True)
class Line:
    """One line of the law: what it demands, and why it is not (wholly) proven, if it is not."""

    id: str
    demands: str
    not_for_software: str = ""
    missing: str = ""
    inversions: tuple[Inversion, ...] = ()

    @property
    def reason(self) -> str:
        return self.not_for_software or self.missing


@cache
def lines() -> Mapping[str, Line]:
    data = tomllib.loads(DATA.read_text(encoding="utf-8"))
    return {name: _line(name, entry) for name, entry in data.items()}


def _line(name: str, entry: dict[str, Any]) -> Line:
    turned = tuple(Inversion(line=name, **each) for each in entry.pop("inversions", ()))
    return Line(id=name, inversions=turned, **entry)


def inversions() -> tuple[Inversion, ...]:
    return tuple(each for line in lines().values() for each in line.inversions)


# Tests, by reading them


@cache
def proofs() -> Mapping[str, tuple[str, ...]]:
    """For each line the tests that name it, as pytest would call them."""
    found: dict[str, list[str]] = {}
    for file in sorted(TESTS.rglob("test_*.py")):
        for test, words in _tests_of(file):
            for name in named_in(words):
                found.setdefault(name, []).append(test)
    for table, test in TABLES.items():
        rows = (TESTS.parent / table).read_text(encoding="utf-8").splitlines()
        for name in {row.partition("|")[0].strip() for row in rows if "|" in row} - {"line"}:
            found.setdefault(name, []).append(test)
    return {name: tuple(tests) for name, tests in found.items()}


def named_in(text: str) -> Iterator[str]:
    """The lines that a text names; «GK-02 to GK-04» are three of them."""
    for first, last in _REFERENCE.findall(text):
        if not last:
            yield first
            continue
        kind, start, end = first[:3], int(first[3:]), int(last[3:])
        yield from (f"{kind}{number:02}" for number in range(start, end + 1))


def named_anywhere() -> Iterator[tuple[str, str]]:
    """Every mention of a line in a file of tests, whatever it is for."""
    for file in sorted(TESTS.rglob("*.py")):
        for name in named_in(file.read_text(encoding="utf-8")):
            yield str(file.relative_to(TESTS.parent)), name


def _tests_of(file: Path) -> Iterator[tuple[str, str]]:
    place = str(file.relative_to(TESTS.parent))
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith(
            "test"
        ):
            name = re.sub(r"(?<=_)(ak|gk|ok|mu|ao|x|e)_(\d\d)(?=_|$)", _as_line, node.name)
            yield f"{place}::{node.name}", f"{name} {ast.get_docstring(node) or ''}"


def _as_line(match: re.Match[str]) -> str:
    return f" {match[1].upper()}-{match[2]} "


# What there is to show


def shown(some: Iterable[Line]) -> Iterator[str]:
    for line in some:
        tests = proofs().get(line.id, ())
        turned = f", {len(line.inversions)} inverted" if line.inversions else ""
        yield f"{line.id:<16} {line.demands} [{_counted(len(tests), 'test')}{turned}]"
        yield from (f"{'':<16}   {test}" for test in tests)
        if line.not_for_software:
            yield f"{'':<16}   not for software: {line.not_for_software}"
        if line.missing:
            yield f"{'':<16}   {'partly' if tests else 'not yet'}: {line.missing}"


def summary() -> str:
    known = lines().values()
    proven = [line for line in known if line.id in proofs()]
    partly = [line for line in proven if line.missing]
    no_task = [line for line in known if line.not_for_software]
    missing = [line for line in known if line.missing and line.id not in proofs()]
    turned = [line for line in known if line.inversions]
    return (
        f"{len(known)} lines: {len(proven)} have tests, {len(partly)} of them only in part; "
        f"{len(no_task)} are not for software; {len(missing)} are not there yet. "
        f"{_counted(len(inversions()), 'inversion')} of {len(turned)} lines."
    )


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


# Inversions


def invert(some: Sequence[Inversion], at_once: int) -> int:
    """Turn them round, each by itself; the number of those that no test noticed."""
    unhurried()  # the forks inherit it
    for inversion in some:
        inversion.inverted()  # before anything runs
    for server in (False, True):
        tests = dict.fromkeys(each.test for each in some if each.server is server)
        whole = unchanged(tests, server=server) if tests else None
        if whole and not whole.fine:
            print(whole.said)
            print("The tests do not pass as they are, so inverting rules would show nothing.")
            return len(some)
    unnoticed = 0
    for inversion, outcome in inverted(some, at_once):
        verdict = "caught" if outcome.caught else "broken" if outcome.broken else "NOT NOTICED"
        unnoticed += not outcome.caught
        print(
            f"{inversion.line:<16} {verdict:<11} {outcome.seconds:5.2f} s  "
            f"{inversion.old.strip()!r} → {inversion.new.strip()!r} by {inversion.test}",
            flush=True,
        )
        for words in outcome.broken:
            print(f"{'':<16}   {words}")
    print(f"{len(some) - unnoticed} of {len(some)} inversions were caught.")
    return unnoticed


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.law_coverage", description=__doc__)
    parser.add_argument("lines", nargs="*", metavar="LINE", help="only these, e.g. GK-03")
    parser.add_argument("--missing", action="store_true", help="only what is not proven")
    parser.add_argument("--invert", action="store_true", help="turn the rules round")
    parser.add_argument("--sample", type=int, metavar="N", help="with --invert: N of them")
    parser.add_argument("--at-once", type=int, metavar="N", default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=30, help="with --sample: which ones")
    given = parser.parse_args(arguments)
    unknown = [name for name in given.lines if name not in lines()]
    if unknown:
        parser.error(f"there is no line {', '.join(unknown)} in {DATA.name}")
    chosen = [lines()[name] for name in given.lines] or list(lines().values())
    if given.invert:
        some: Sequence[Inversion] = [each for line in chosen for each in line.inversions]
        if given.sample:
            some = sample(some, given.sample, given.seed)
        try:
            return min(invert(some, given.at_once), 1)
        except RuleMoved as moved:
            parser.error(str(moved))
    print("\n".join(shown(line for line in chosen if line.reason or not given.missing)))
    if not given.lines:
        print(f"\n{summary()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
