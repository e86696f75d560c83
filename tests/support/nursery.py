"""Real processes of ours in a twentieth of the time: one that has read the program forks them.

For tests that kill many: each child runs the command as the shell would have started it, and dies
by kill -9 like any other. All of them end with the test, however that ends.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Child:
    """One command that was forked, with its log."""

    pid: int
    log: Path

    @property
    def is_alive(self) -> bool:
        with suppress(OSError):
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        return False

    def kill(self) -> None:
        assert self.is_alive, f"it ended by itself: {self.log.read_text()[-1000:]}"
        os.kill(self.pid, signal.SIGKILL)
        while self.is_alive:
            time.sleep(0.002)


class Nursery:
    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process, self._folder, self._number = process, folder, 0

    def start(self) -> Child:
        self._number += 1
        log = self._folder / f"child-{self._number:03}.log"
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(log, file=self._process.stdin, flush=True)
        return Child(int(self._process.stdout.readline()), log)


@contextmanager
def nursery(
    command: Sequence[str], environment: Mapping[str, str], folder: Path
) -> Iterator[Nursery]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.nursery", *command],
        env=dict(environment),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield Nursery(process, folder)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _main(command: Sequence[str]) -> None:
    from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer  # noqa: F401 (read once)

    import adapters.publishing  # noqa: F401
    from adapters.inbound.cli.main import main

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries them
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            log = os.open(line.strip(), os.O_WRONLY | os.O_CREAT)
            nothing = os.open(os.devnull, os.O_RDONLY)
            for old, new in ((nothing, 0), (log, 1), (log, 2)):
                os.dup2(old, new)
            sys.argv = ["trettio", *command]
            main()
            os._exit(0)
        print(pid, flush=True)
    os.killpg(0, signal.SIGKILL)  # whoever started us is gone


if __name__ == "__main__":
    _main(sys.argv[1:])
