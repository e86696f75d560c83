"""Style sheets and scripts: kept by browsers for as long as they are what they were."""

from __future__ import annotations

import re
from pathlib import Path

from adapters.inbound.web.assets import FOR_GOOD, STATIC, asset
from adapters.inbound.web.pages import environment
from tests.support.house import House


def test_a_file_is_kept_by_browsers_for_as_long_as_it_is_the_same(house: House) -> None:
    browser = house.visitor()
    address = asset("trettio.css")

    assert browser.get(address).headers["cache-control"] == FOR_GOOD
    for other in ("/static/trettio.css", "/static/trettio.css?v=000000000000"):
        assert browser.get(other).headers["cache-control"] == "no-cache"
    assert browser.get("/static/../pages.py").status_code == 404


def test_every_page_names_its_files_by_what_they_hold(house: House) -> None:
    shown = house.staff().get("/desk").text
    named = re.findall(r'(?:src|href)="(/static/[^"]+)"', shown)

    assert {address.partition("?")[0] for address in named} >= {
        "/static/trettio.css",
        "/static/htmx.min.js",
        "/static/desk.js",
    }
    assert all(address == asset(address[8:].partition("?")[0]) for address in named)


def test_scripts_are_files_of_ours_and_nothing_in_a_page_is_one() -> None:
    """A strict content security policy has no place for anything else."""
    loader = environment().loader
    assert loader is not None
    for name in environment().list_templates():
        source = loader.get_source(environment(), name)[0]
        for tag in re.findall(r"<script[^>]*>.*?</script>", source, re.DOTALL):
            assert re.fullmatch(r'<script src="\{\{ asset\("[\w.]+"\) \}\}" defer></script>', tag)
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|hx-on|hx-vals='js", source)


def test_what_is_vendored_is_named_with_its_version_and_licence() -> None:
    told = Path(STATIC, "README.md").read_text("utf-8")
    for script in STATIC.glob("*.min.js"):
        assert f"`{script.name}`" in told
    version = re.search(r'version:"([\d.]+)"', (STATIC / "htmx.min.js").read_text("utf-8"))
    assert version is not None
    assert f"| {version[1]} |" in told
