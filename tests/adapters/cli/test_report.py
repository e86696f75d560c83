"""`trettio report`: the same log gives the same files, in four languages, and nothing personal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader
from typer.testing import CliRunner

from adapters.inbound.cli.main import app
from adapters.outbound.typesetting import TypstTypesetter
from adapters.reports import month_as_recorded
from domain.vocabulary import Language
from projections.monthly import Advised, Breaches, Counted
from services.reporting import document, report_csv, report_pdf
from tests.support.house import KARI, NORWAY, SWEDEN, House, open_house
from tests.support.steps import asked_for_access

MONTH = f"{datetime.now(UTC):%Y-%m}"


@pytest.fixture(scope="module")
def house(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(module_database_url, tmp_path_factory.mktemp("house")) as opened:
        asked_for_access(opened)
        opened.work()
        yield opened


def report(house: House, *words: str) -> tuple[int, str]:
    url = house.installation.settings.database_url
    assert url is not None
    environment = {
        "TRETTIO_DATABASE_URL": url.get_secret_value(),
        "TRETTIO_HOME": str(house.installation.settings.home),
    }
    done = CliRunner().invoke(app, ["report", *words], env=environment)
    return done.exit_code, done.stdout + done.stderr


def test_the_same_log_gives_the_same_bytes(house: House, tmp_path: Path) -> None:
    for out in ("once", "twice"):
        code, said = report(house, "--month", MONTH, "--out", str(tmp_path / out))
        assert code == 0, said
    names = sorted(path.name for path in (tmp_path / "once").iterdir())
    assert names == sorted(
        f"trettio-report-{controller}-{MONTH}.{kind}"
        for controller in (NORWAY, SWEDEN)
        for kind in ("csv", "pdf")
    )
    for name in names:
        assert (tmp_path / "once" / name).read_bytes() == (tmp_path / "twice" / name).read_bytes()


def test_it_tells_what_there_was_and_nobodys_name(house: House, tmp_path: Path) -> None:
    code, said = report(
        house, "--month", MONTH, "--controller", NORWAY, "--language", "en", "--out", str(tmp_path)
    )
    assert code == 0, said
    pdf = (tmp_path / f"trettio-report-{NORWAY}-{MONTH}.pdf").read_bytes()
    text = "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)
    rows = (tmp_path / f"trettio-report-{NORWAY}-{MONTH}.csv").read_text("utf-8-sig")
    assert "Received: 1" in text
    assert '"right";"access";"received";"1"' in rows
    for said in (text, rows):
        assert KARI not in said
        assert "Testesen" not in said


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--month", "2026-13"], "is no month"),
        (["--month", MONTH, "--language", "da"], "choose nb, nn, sv, en"),
        (["--month", MONTH, "--controller", "stranger"], "there is no controller 'stranger'"),
    ],
)
def test_what_is_asked_wrongly_is_said(house: House, words: list[str], why: str) -> None:
    code, said = report(house, *words)
    assert code == 2
    assert why in said


@pytest.mark.parametrize("language", Language, ids=lambda one: one.value)
def test_every_section_has_its_words_in_every_language(house: House, language: Language) -> None:

    first = datetime.now(UTC).date().replace(day=1)
    told = replace(
        month_as_recorded(house.installation, NORWAY, first),
        extensions=(Counted("volume", None, 2), Counted("effort", None, 1)),
        refusals=(Counted("excessive", "repetitive", 1), Counted("no-response", None, 1)),
        advice=(Advised("refusal", 3, 2, 1, 1),),
        breaches=Breaches(1, 1, 0, 0, 1, 0),
    )
    profile = house.installation.controllers.in_force(NORWAY)
    pages = document(told, profile, language)
    headings = [part.text for part in pages.parts if part.kind == "heading"]
    assert len(headings) == len(set(headings)) >= 9
    assert "{" not in str(pages)
    assert report_pdf(told, profile, language, TypstTypesetter()).startswith(b"%PDF")
    assert report_csv(told, language).count(b"\r\n") > 40
