"""Past requests under another profile: what would differ is said, and nothing is changed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.inbound.cli.main import app
from adapters.profiles import load_profile
from domain.policy import Profile
from domain.vocabulary import Right
from services.what_if import Changed, Difference
from tests.support.asking import approve, collected, confirmed
from tests.support.house import KARI, NORWAY, ORGANISATIONS, SWEDEN, House

DOCUMENT = (ORGANISATIONS / f"{NORWAY}.toml").read_bytes()
NOW = load_profile(DOCUMENT)
BOOKED = date(2026, 9, 1)


def without_vouchers(profile: Profile) -> Profile:
    return replace(
        profile,
        systems=tuple(
            replace(one, holdings=tuple(replace(h, voucher=False) for h in one.holdings))
            for one in profile.systems
        ),
    )


def compared(house: House, new: Profile, **given: object) -> dict[Right, Difference]:
    house.work()
    told = house.installation.what_if.compare(NOW, new, controller=NORWAY, **given)  # type: ignore[arg-type]
    return {one.right: one for one in told}


@pytest.fixture
def paid(house: House) -> House:
    """An access that is open, and an erasure that kept a voucher and was answered."""
    house.systems.system(NORWAY, "payment").hold(
        KARI, "payment", "p1", anchors={"voucher": BOOKED}, flags=frozenset({"paid"})
    )
    case_id = collected(house, Right.ERASURE)
    approve(house, case_id, Right.ERASURE)
    confirmed(house, Right.ACCESS, text="Hei igjen")
    house.work()
    return house


def test_another_promise_moves_its_dates_and_nothing_else(
    paid: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GK-03, X-02, AK-29: the law's date stays, and a right left out of a policy is named."""
    events = paid.events()
    monkeypatch.setattr("services.what_if.PAGE", 1)

    assert not any(one.differs for one in compared(paid, replace(NOW, version="2")).values())

    access = compared(paid, replace(NOW, promise_days=10))[Right.ACCESS]
    old, new = (access.received_on + timedelta(days=days) for days in (30, 10))
    assert {change.what for change in access.dates} == {"promise_due", "target_due"}
    assert Changed("promise_due", old.isoformat(), new.isoformat()) in access.dates
    assert not access.decisions

    silent = replace(NOW, rights=NOW.rights - {Right.ACCESS})
    (left_out,) = compared(paid, silent)[Right.ACCESS].in_policy
    assert left_out == Changed("in_policy", "true", "false")

    in_two_days = datetime.now(UTC).date() + timedelta(days=2)
    assert compared(paid, NOW, since=in_two_days) == {}
    assert list(paid.installation.what_if.compare(NOW, NOW, controller=SWEDEN)) == []
    assert paid.events() == events


def test_vouchers_of_different_years_are_told_apart(house: House) -> None:
    """E-12: a new fiscal year moves each day on which something goes, not only the last."""
    for key, booked in (("p1", BOOKED), ("p2", BOOKED.replace(year=2025))):
        house.systems.system(NORWAY, "payment").hold(
            KARI, "payment", key, anchors={"voucher": booked}, flags=frozenset({"paid"})
        )
    collected(house, Right.ERASURE)
    june = replace(NOW, fiscal_year=replace(NOW.fiscal_year, end_month=6, end_day=30))

    (hold,) = compared(house, june)[Right.ERASURE].holds

    assert (hold.old, hold.new) == ("2030-12-31, 2031-12-31", "2031-06-30, 2032-06-30")


def test_what_would_be_kept_follows_the_new_profile_while_it_can_be_said(paid: House) -> None:
    """E-12: a voucher stays five years from the end of the fiscal year, whichever that is."""
    june = replace(NOW, fiscal_year=replace(NOW.fiscal_year, end_month=6, end_day=30))

    erasure = compared(paid, june)[Right.ERASURE]

    (decision,), (hold,) = erasure.decisions, erasure.holds
    assert "keep no.bokforing.primary 2031-12-31" in (decision.old or "")
    assert "keep no.bokforing.primary 2032-06-30" in (decision.new or "")
    assert hold == Changed("payment/payments/no.bokforing.primary", "2031-12-31", "2032-06-30")
    assert not erasure.dates

    erasure = compared(paid, without_vouchers(NOW))[Right.ERASURE]
    assert "keep" not in (erasure.decisions[0].new or "")
    assert erasure.holds[0].new is None

    sql = paid.installation.database
    sql.fetch("DELETE FROM trettio.vault_keys WHERE compartment = 'package'")
    erasure = compared(paid, replace(without_vouchers(NOW), promise_days=10))[Right.ERASURE]
    assert (erasure.destroyed, erasure.decisions) == (1, ())
    assert erasure.dates


def test_the_command_compares_files_and_what_is_in_force(
    paid: House, database_url: str, tmp_path: Path
) -> None:
    new = tmp_path / "new.toml"
    new.write_bytes(DOCUMENT.replace(b"promise_days = 30", b"promise_days = 10"))
    settings = {
        "TRETTIO_DATABASE_URL": database_url,
        "TRETTIO_HOME": str(paid.installation.settings.home),
    }

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner(env=settings).invoke(app, ["profile", "what-if", *arguments])
        return result.exit_code, result.stdout + result.stderr

    code, told = run("in-force", str(new), "--json")
    assert code == 0, told
    assert json.loads(told)["looked_at"] == 2
    assert len(json.loads(told)["requests"]) == 2
    code, told = run("in-force", str(new))
    assert "2 requests looked at, 2 differ." in told
    assert "promise_due" in told
    assert run(str(new), "in-force")[0] == 2
    assert run("in-force", str(new), "--since", "soon")[0] == 2
    assert run("in-force", str(new), "--controller", "nobody")[0] == 2
