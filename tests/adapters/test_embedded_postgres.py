"""The embedded server: shut to everybody else, sure of its data, gone with whoever started it."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError, PersistenceError, StoredEvent

from adapters import embedded_postgres
from adapters.embedded_postgres import EmbeddedPostgres, PostgresNotStarted
from adapters.outbound.database import Database, migrate
from adapters.outbound.recorder import LogReader, LogRecorder

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to see it dropped")

STARTS_AND_WAITS = """
import pathlib, sys, time
from adapters.embedded_postgres import EmbeddedPostgres
server = EmbeddedPostgres(pathlib.Path(sys.argv[1]))
print(server.start(), flush=True)
print(server.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Below a directory of 0700, as a home below /root is."""
    tmp_path.chmod(0o700)
    return tmp_path / "home"


@pytest.fixture
def server(home: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(home) as server:
        yield server


def _one(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def _answers(url: str) -> bool:
    try:
        return _one(url, "SELECT 1") == 1
    except psycopg.OperationalError:
        return False


def _until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def _kill(server: EmbeddedPostgres) -> None:
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    _until(lambda: not server.is_running)


def _start_elsewhere(home: Path) -> tuple[subprocess.Popen[str], str, int]:
    process = subprocess.Popen(
        [sys.executable, "-c", STARTS_AND_WAITS, str(home)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip(), int(process.stdout.readline())


# Starting and stopping


def test_it_starts_on_an_empty_home_and_again_on_its_data(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 'føre' AS word")
        first = server.url

    with EmbeddedPostgres(home) as server:
        assert server.url == first
        assert _one(server.url, "SELECT word FROM kept") == "føre"
        assert _one(server.url, "SHOW server_encoding") == "UTF8"
        assert _one(server.url, "SHOW fsync") == "on"


def test_starting_twice_is_harmless(server: EmbeddedPostgres) -> None:
    pid = server.pid
    assert server.start() == server.url
    assert server.pid == pid


def test_it_listens_nowhere_but_on_its_own_socket(server: EmbeddedPostgres) -> None:
    assert _one(server.url, "SHOW listen_addresses") == ""
    socket = Path(psycopg.connect(server.url).info.host)
    assert stat.S_IMODE(socket.stat().st_mode) == 0o700


def test_it_asks_for_the_password_even_on_the_socket(server: EmbeddedPostgres, home: Path) -> None:
    password = home / "postgres" / "password"
    assert stat.S_IMODE(password.stat().st_mode) == 0o600
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.url.replace(password.read_text(), "guess"))


def test_nothing_but_its_own_directories_changes_hands(server: EmbeddedPostgres) -> None:
    home = server.home
    assert stat.S_IMODE(home.parent.parent.stat().st_mode) == 0o700
    assert home.parent.parent.stat().st_uid == os.geteuid()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert home.stat().st_uid == os.geteuid()


@as_root
def test_root_runs_it_as_somebody_without_rights(server: EmbeddedPostgres) -> None:
    assert server.pid is not None
    status = Path(f"/proc/{server.pid}/status").read_text()
    uids = next(line for line in status.splitlines() if line.startswith("Uid:")).split()[1:]
    capabilities = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    assert "0" not in uids
    assert int(capabilities.split()[1], 16) == 0
    assert server.data.stat().st_uid == int(uids[0])


@as_root
def test_an_ordinary_user_runs_it_as_themselves(home: Path) -> None:
    """In a user namespace, where we are not root but the files are still ours."""
    ordinary = ["unshare", "--user", "--map-user=65534", "--map-group=65534"]
    if subprocess.run([*ordinary, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system has no user namespaces")
    script = """
import os, pathlib, sys, psycopg
from adapters.embedded_postgres import EmbeddedPostgres
with EmbeddedPostgres(pathlib.Path(sys.argv[1])) as server:
    assert os.geteuid() == 65534
    place = psycopg.connect(server.url).execute("SHOW data_directory").fetchone()[0]
    assert place == str(server.data)
"""
    subprocess.run([*ordinary, sys.executable, "-c", script, str(home)], check=True)


@as_root
def test_programs_that_nobody_may_read_are_copied_for_root_alone_to_write(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o711)
    monkeypatch.setattr(embedded_postgres, "_readable", lambda path, owner: False)
    monkeypatch.setattr(embedded_postgres, "SHARED_PROGRAMS", Path("/proc/none"))
    with pytest.raises(PostgresNotStarted, match="start as an ordinary user or install elsewhere"):
        EmbeddedPostgres(home).start()

    shared = Path(tempfile.mkdtemp(prefix="trettio-programs-"))
    shared.chmod(0o755)
    monkeypatch.setattr(embedded_postgres, "SHARED_PROGRAMS", shared)
    with EmbeddedPostgres(home) as server:
        assert _one(server.url, "SELECT 1") == 1
        program = Path(f"/proc/{server.pid}/exe").readlink()
        assert program.is_relative_to(shared)
        assert stat.S_IMODE(program.stat().st_mode) == 0o755
    subprocess.run(["rm", "-r", str(shared)], check=True)


def test_a_long_home_has_its_socket_in_a_private_directory(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 25)
    with EmbeddedPostgres(home) as server:
        assert _one(server.url, "SELECT 1") == 1
        directory = Path((home / "postgres" / "socket-is-in").read_text())
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    with EmbeddedPostgres(home) as server:
        assert Path(psycopg.connect(server.url).info.host) == directory
    directory.rmdir()


def test_a_server_that_cannot_start_says_why_in_one_line(home: Path) -> None:
    with pytest.raises(PostgresNotStarted, match=r'unrecognized configuration parameter "nonsense'):
        EmbeddedPostgres(home, settings={"nonsense": "1"}).start()

    with EmbeddedPostgres(home) as server:  # and leaves nothing in the way
        assert _one(server.url, "SELECT 1") == 1


def test_a_half_made_data_directory_is_made_anew(home: Path) -> None:
    (home / "postgres" / "initialising" / "data" / "base").mkdir(parents=True)

    with EmbeddedPostgres(home) as server:
        assert _one(server.url, "SELECT 1") == 1
    assert not (home / "postgres" / "initialising").exists()


# Crashes


def test_after_kill_9_of_the_server_it_recovers(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    _kill(server)

    server.start()
    assert _one(server.url, "SELECT one FROM kept") == 1


def test_a_server_that_is_kept_running_is_started_again_by_itself(
    server: EmbeddedPostgres,
) -> None:
    """Art. 32(1)(c): with nothing but this program there is nobody else to start it."""
    url, killed = server.url, server.pid
    assert killed is not None
    with server.kept_running():
        os.kill(killed, signal.SIGKILL)
        _until(lambda: server.pid not in {None, killed} and _answers(url))

    assert server.is_running


def test_a_pid_file_of_a_process_that_is_not_ours_is_passed_over(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        left = (server.data / "postmaster.pid").read_text()
    lines = left.splitlines()
    lines[0] = str(os.getpid())  # the number now belongs to somebody else
    (server.data / "postmaster.pid").write_text("\n".join(lines))

    with EmbeddedPostgres(home) as server:
        assert _one(server.url, "SELECT 1") == 1


def test_kill_9_of_whoever_started_it_ends_it_too(home: Path) -> None:
    process, url, pid = _start_elsewhere(home)
    assert _one(url, "SELECT 1") == 1
    process.kill()
    process.wait()

    _until(lambda: not Path(f"/proc/{pid}").exists())


def test_a_successor_takes_over_at_once_from_a_killed_process(home: Path) -> None:
    process, url, pid = _start_elsewhere(home)
    process.kill()
    process.wait()

    with EmbeddedPostgres(home) as server:
        assert server.url == url
        assert server.pid != pid
        assert _one(server.url, "SELECT 1") == 1
        time.sleep(0.3)  # the first one's watchdog must not end the second one's server
        assert _one(server.url, "SELECT 1") == 1


def test_a_second_process_joins_the_server_that_runs_and_leaves_it_running(home: Path) -> None:
    process, url, _ = _start_elsewhere(home)
    try:
        with EmbeddedPostgres(home) as joined:
            assert joined.start() == url
            assert joined.pid is None
            assert _one(joined.url, "SELECT 1") == 1
        assert _one(url, "SELECT 1") == 1
    finally:
        process.kill()
        process.wait()


def test_nothing_acknowledged_is_lost_when_the_server_is_killed_under_writers(
    home: Path,
) -> None:
    server = EmbeddedPostgres(home)
    with server, Database(server.start()) as database:
        migrate(database)
        acknowledged: list[tuple[UUID, int]] = []
        ending = threading.Event()

        def write() -> None:
            matter, version = uuid4(), 1
            while not ending.is_set():
                stored = [StoredEvent(matter, version, "topic", uuid4().bytes)]
                try:
                    LogRecorder(database).insert_events(stored)
                except IntegrityError:
                    matter, version = uuid4(), 1
                except PersistenceError:
                    time.sleep(0.02)
                    matter, version = uuid4(), 1
                else:
                    acknowledged.append((matter, version))
                    version += 1

        seen: list[int] = []

        def follow() -> None:
            reader, after = LogReader(database), 0
            while True:
                is_last = ending.is_set() and not any(w.is_alive() for w in writers)
                try:
                    batch = reader.read(after)
                except psycopg.OperationalError:
                    time.sleep(0.02)
                    continue
                seen.extend(n.id for n in batch.notifications)
                after = batch.position
                if is_last and not batch.notifications:
                    return

        writers = [threading.Thread(target=write) for _ in range(4)]
        follower = threading.Thread(target=follow)
        for thread in (*writers, follower):
            thread.start()
        for _ in range(3):
            time.sleep(0.4)
            _kill(server)
            server.start()
        time.sleep(0.4)
        ending.set()
        for thread in (*writers, follower):
            thread.join()

        rows = database.fetch(
            "SELECT originator_id, originator_version, notification_id FROM trettio.log"
            " ORDER BY notification_id"
        )
        stored = {(row["originator_id"], row["originator_version"]) for row in rows}
        assert len(acknowledged) > 50
        assert set(acknowledged) <= stored
        assert seen == [row["notification_id"] for row in rows]
