"""axe-core looks at a page as the browser shows it (WCAG 2.2 AA, EN 301 549)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from tests.support.npm import package

if TYPE_CHECKING:
    from playwright.sync_api import Page

VERSION = "4.14.1"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


@cache
def _source() -> str:
    folder = package("axe-core", VERSION) / "node_modules" / "axe-core"
    return (folder / "axe.min.js").read_text(encoding="utf-8")


def require_accessible(page: Page) -> None:
    """Fail with each fault, where it is and what to do; the browser must run scripts."""
    found: list[dict[str, Any]] = page.evaluate(
        f"async (rules) => {{ {_source()};"
        " return (await axe.run(document, {runOnly: rules, resultTypes: ['violations']}))"
        ".violations }",
        list(RULES),
    )
    faults = [
        f"{fault['id']}: {fault['help']}\n    {node['html'][:200]}\n    {node['failureSummary']}"
        for fault in found
        for node in fault["nodes"]
    ]
    assert not faults, f"{page.url}\n" + "\n".join(faults)
