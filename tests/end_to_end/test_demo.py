"""`trettio demo`: the main job in one process, on one machine, again and again (E-01, E-02)."""

from __future__ import annotations

import ast
import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

from adapters.demo import fence
from tests.support.components import unavailable
from tests.support.demonstration import (
    COMMAND,
    ROOT,
    Demo,
    environment,
    fetch_evidence,
    handle_elsa,
    handle_ingrid,
    handle_sigrid,
    started,
    until,
)

RECORDER = ROOT / "tests" / "support" / "recorded_demo.py"
ORDINARY = ("unshare", "--user", "--map-user=65534", "--map-group=65534")

REAL_INSTALLATION = {
    "TRETTIO_SMTP_HOST": "mx.post.example",
    "TRETTIO_DATABASE_URL": "postgresql://trettio@192.0.2.1/trettio",
    "TRETTIO_SYSTEM__FJORDSCENEN__MAILING__URL": "http://192.0.2.1",
    "TRETTIO_NONSENSE": "1",
}


def waiting(demo: Demo) -> int:
    """How many mails the desk has to confirm."""
    visitor = demo.visitor()
    visitor.open("/demo")
    return visitor.page.count('href="/desk/cases/')


def tour(demo: Demo) -> str:
    visitor = demo.visitor()
    visitor.open("/demo")
    return visitor.open("/tour?lang=en")


def lived(demo: Demo) -> int:
    found = re.search(r'<progress value="(\d+)"', tour(demo))
    assert found is not None
    return int(found[1])


def test_all_three_mails_are_carried_to_closed_and_nobody_outside_is_spoken_to(
    tmp_path: Path,
) -> None:
    """Every address of the whole run is noted; afterwards it tries to get out, and cannot."""
    record, home = tmp_path / "record", tmp_path / "home"
    record.mkdir()
    home.mkdir()
    command = (sys.executable, str(RECORDER), str(record))

    with started(home, command=command) as demo:
        assert tour(demo).count(">to do<") == 7
        case = handle_ingrid(demo)
        assert tour(demo).count(">to do<") == 1
        fetch_evidence(demo, case)
        assert "from end to end" in tour(demo)
        handle_sigrid(demo)
        handle_elsa(demo)
        (record / "try").touch()
        until((record / "tried").exists)
        assert demo.stop(signal.SIGINT) == 0
        assert demo.leftovers() == []

    spoken = [json.loads(line) for line in (record / "addresses").read_text().splitlines()]
    hosts = {_host(family, address) for _, family, address in spoken if family != "AF_UNIX"}
    assert any(event == "socket.connect" for event, _, _ in spoken)
    assert {host for host in hosts if not fence.is_here(host)} == set()
    tried = json.loads((record / "tried").read_text())
    assert set(tried.values()) == {"PermissionError"}

    with started(home) as demo:
        visitor = demo.visitor()
        visitor.open("/demo")
        assert "Nothing left to do" in visitor.open(f"{case}?lang=en")
        assert demo.stop() == 0
    shop = (home / "demo" / "world" / "ticketing").read_text()
    assert "oda.fremmed@epost.example" in shop
    # Of all her orders only the one with tickets for a coming event still knows her address.
    kept = [code for code in ("FJ7K2", "FJ9Q4") if _order(shop, code)["email"]]
    assert kept == ["FJ9Q4"]


def test_a_killed_one_finds_its_data_and_no_settings_of_others(tmp_path: Path) -> None:
    environ = environment(tmp_path, **REAL_INSTALLATION)
    with started(tmp_path, env=environ) as demo:
        until(lambda: waiting(demo) == 3)
        assert demo.stop(signal.SIGKILL) == -signal.SIGKILL
        until(lambda: not demo.leftovers())

    with started(tmp_path, env=environ) as demo:
        until(lambda: waiting(demo) == 3)
        second = subprocess.run(
            [*COMMAND, "demo", "--port", "0", "--no-browser"],
            env=environ,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert (second.returncode, second.stderr.count("\n")) == (2, 1)
        assert "running already" in second.stderr
        assert demo.stop(signal.SIGTERM) == 0
        assert demo.leftovers() == []


def test_a_past_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    with started(tmp_path, past=True) as demo:
        until(lambda: lived(demo) >= 2)
        assert demo.stop(signal.SIGKILL) == -signal.SIGKILL
        until(lambda: not demo.leftovers())

    with started(tmp_path, past=True) as demo:
        before = lived(demo)
        assert before >= 2
        until(lambda: lived(demo) > before)
        assert demo.stop(signal.SIGINT) == 0
        assert demo.leftovers() == []
    assert "life_went_wrong" not in (tmp_path / "demo" / "log").read_text()


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = subprocess.run(
            [*COMMAND, "demo", "--port", port, "--no-browser"],
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    assert done.returncode == 2
    assert done.stderr == (
        f"trettio: port {port} cannot be used (Address already in use): try --port 0\n"
    )


def test_an_ordinary_user_can_start_it_in_an_empty_home(tmp_path: Path) -> None:
    if subprocess.run([*ORDINARY, "true"], capture_output=True, check=False).returncode:
        unavailable("a user namespace", "allow unprivileged user namespaces in this system")

    with started(tmp_path, command=(*ORDINARY, *COMMAND)) as demo:
        assert demo.stop() == 0
        assert demo.leftovers() == []


def _host(family: str, address: str) -> str | None:
    value = ast.literal_eval(address) if address.startswith(("(", "b'", "None")) else address
    return value[0] if family and value else value


def _order(shop: str, code: str) -> dict[str, object]:
    orders = ast.literal_eval(shop)["orders"]
    found: dict[str, object] = next(o for (_, c), o in orders.items() if c == code)
    return found
