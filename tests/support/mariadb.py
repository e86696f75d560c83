"""A real MariaDB for tests: in a directory of its own, on a socket, ended with the run."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pymysql

from tests.support.components import alone_with, cache, unavailable

HINT = "apt-get install mariadb-server"
SMALL = (
    *("--innodb-log-file-size=4M", "--innodb-buffer-pool-size=16M", "--skip-log-bin"),
    *("--innodb-flush-log-at-trx-commit=0", "--performance-schema=OFF", "--key-buffer-size=1M"),
)


@contextmanager
def server() -> Iterator[str]:
    """Its URL, for root without a password. Its data need not survive a loss of power."""
    program = shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None or shutil.which("mariadb-install-db") is None:
        unavailable("MariaDB", HINT)
    folder = Path(tempfile.mkdtemp(prefix="trettio-mariadb-"))
    socket = folder / "sock"
    shutil.copytree(_fresh(program), folder / "data")
    process = subprocess.Popen(
        [
            *(program, "--no-defaults", f"--datadir={folder / 'data'}", f"--socket={socket}"),
            *("--skip-networking", "--user=root", f"--pid-file={folder / 'pid'}"),
            *(f"--log-error={folder / 'log'}", *SMALL),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await(process, socket, folder / "log")
        yield f"mariadb://root@localhost/test?socket={quote(str(socket), safe='')}"
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder)


def _fresh(program: str) -> Path:
    """The files of a server that has never run, made once for all runs."""
    version = subprocess.run(
        [program, "--no-defaults", "--version"], capture_output=True, text=True, check=True
    ).stdout.split()[2]
    made = cache() / f"mariadb-{version}"
    with alone_with(made):
        if not made.exists():
            begun = made.with_name(made.name + ".part")
            shutil.rmtree(begun, ignore_errors=True)
            subprocess.run(
                [
                    *("mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={begun}"),
                    *("--auth-root-authentication-method=normal", "--skip-name-resolve"),
                    *SMALL,
                ],
                check=True,
                capture_output=True,
            )
            begun.rename(made)
    return made


def _await(process: subprocess.Popen[bytes], socket: Path, log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        if socket.exists():
            try:
                pymysql.connect(unix_socket=str(socket), user="root").close()
            except pymysql.err.OperationalError:
                pass
            else:
                return
        time.sleep(0.05)
    said = log.read_text(errors="replace")[-2_000:] if log.exists() else ""
    raise RuntimeError(f"MariaDB does not start: {said}")
