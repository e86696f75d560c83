"""axe-core looks at a page as the browser shows it (WCAG 2.2 AA, EN 301 549)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from tests.support.npm import package

if TYPE_CHECKING:
    from playwright.sync_api import Page

VERSION = "4.14.1"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


PAINTED = ("color-contrast", "target-size", "link-in-text-block", "scrollable-region-focusable")
"""What depends on colours and width, and so is looked at again where those are others."""


@cache
def source() -> str:
    folder = package("axe-core", VERSION) / "node_modules" / "axe-core"
    return (folder / "axe.min.js").read_text(encoding="utf-8")


def faults_of(page: Page, *, only: tuple[str, ...] = ()) -> list[str]:
    """Each fault, where it is and what to do; `only` names single rules."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(source())
    chosen = {"type": "rule" if only else "tag", "values": list(only or RULES)}
    found: list[dict[str, Any]] = page.evaluate(
        "async (only) => (await axe.run(document,"
        " {runOnly: only, resultTypes: ['violations']})).violations",
        chosen,
    )
    return [
        f"{fault['id']}: {fault['help']}\n    {node['html'][:200]}\n    {node['failureSummary']}"
        for fault in found
        for node in fault["nodes"]
    ]


def require_accessible(page: Page) -> None:
    """Fail with each fault; the browser must run scripts."""
    faults = faults_of(page)
    assert not faults, f"{page.url}\n" + "\n".join(faults)
