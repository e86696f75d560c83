"""`trettio demo` in a process of its own, and somebody who tries what it proposes."""

from __future__ import annotations

import html
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from tests.support.components import free_port
from tests.support.forms import Browser

PATIENCE = 60.0
STARTING = 150.0
"""Seconds for the first start, which makes a database and compiles what it imports."""
ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-c", "from adapters.inbound.cli.main import main; main()")


@dataclass
class Demo:
    """A demonstration that answers."""

    process: subprocess.Popen[str]
    url: str
    home: Path
    seconds_to_start: float

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(how)
        return self.process.wait(timeout=30)

    def visitor(self) -> Browser:
        return Browser(httpx2.Client(base_url=self.url, timeout=30))

    def leftovers(self) -> list[str]:
        """The command lines of processes that still work below its home."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                place = (process / "cwd").readlink()
            except OSError:
                continue
            if place.is_relative_to(self.home):
                found.append((process / "cmdline").read_text())
        return found


def environment(home: Path, **more: str) -> dict[str, str]:
    """Nothing of this run's own but what a shell would have."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {**kept, "HOME": str(home), "TRETTIO_HOME": str(home), "PYTHONPATH": str(ROOT), **more}


@contextmanager
def started(
    home: Path,
    *,
    command: Sequence[str] = COMMAND,
    env: dict[str, str] | None = None,
    past: bool = False,
) -> Iterator[Demo]:
    """A demonstration in `home`, ready; ended hard if the test has not ended it.

    Its six months of past take a minute of a processor, so only who asks for them has them.
    """
    port = free_port()
    begun = time.monotonic()
    process = subprocess.Popen(
        [*command, "demo", "--port", str(port), "--no-browser", *([] if past else ["--no-past"])],
        env=env or environment(home),
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _answers(process, url), patience=STARTING)
        yield Demo(process, url, home, time.monotonic() - begun)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _answers(process: subprocess.Popen[str], url: str) -> bool:
    if process.poll() is not None:
        said = process.stdout.read() if process.stdout else ""
        raise AssertionError(f"the demonstration ended with {process.returncode}: {said}")
    try:
        return httpx2.get(f"{url}/health", timeout=5).status_code == 200
    except httpx2.TransportError:
        return False


def until(is_so: Callable[[], object], pause: float = 0.02, patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(pause)


# The three mails, from the inbox to closed


def handle_ingrid(demo: Demo) -> str:
    """Carry her mail to closed through the pages: a copy, then erasure. Her case's address."""
    desk = _desk(demo)
    case = _case_with(desk, "Ingrid")
    desk.press(f"{case}/confirm")
    before = _mails(demo)
    desk.press(f"{case}/identity/ask")
    _prove(demo, before)
    _work_through(desk, case)
    desk.press("/approve", words="Vennlig hilsen oss på Fjordscenen")
    _fetch(demo)
    _work_through(desk, case)
    desk.press("/approve", considered="1")
    _until_closed(desk, case)
    return case


def fetch_evidence(demo: Demo, case: str) -> None:
    """The last step of the tour: the pack that `trettio verify` looks at."""
    desk = _desk(demo)
    desk.open(case)
    desk.press(f"{case}/evidence")


def until_the_past_is_over(demo: Demo, patience: float) -> None:
    """Until everything before the demonstration has been lived."""
    visitor = _desk(demo)
    until(lambda: "<progress" not in visitor.open("/tour"), pause=1.0, patience=patience)


def handle_sigrid(demo: Demo) -> str:
    """No more newsletters: nobody asks who she is, and nothing else is needed."""
    desk = _desk(demo)
    case = _case_with(desk, "Sigrid")
    desk.press(f"{case}/confirm")
    _until_closed(desk, case)
    return case


def handle_elsa(demo: Demo) -> str:
    """Erasure, with recipients whom a person has to inform."""
    desk = _desk(demo)
    case = _case_with(desk, "Elsa")
    desk.press(f"{case}/confirm")
    before = _mails(demo)
    desk.press(f"{case}/identity/ask")
    _prove(demo, before)
    _work_through(desk, case)
    desk.press("/approve", considered="1")
    for _ in ("klarna", "organisers"):
        until(lambda: desk.open(case) and desk.forms("/done"), pause=0.1)
        desk.press("/done")
    _until_closed(desk, case)
    return case


def _desk(demo: Demo) -> Browser:
    desk = demo.visitor()
    desk.open("/demo")
    return desk


def _until_closed(desk: Browser, case: str) -> None:
    until(lambda: "Nothing left to do" in desk.open(f"{case}?lang=en"), pause=0.1)


def _case_with(desk: Browser, words: str) -> str:
    """The waiting mail that says so; one has to say what for before reading."""
    found: list[str] = []

    def listed() -> bool:
        for case in sorted(set(re.findall(r"/desk/cases/[0-9a-f-]{36}", desk.open("/tour")))):
            desk.open(case)
            if desk.forms("/purpose"):
                desk.press("/purpose", purpose="handle")
            if words in desk.page:
                found.append(case)
        return bool(found)

    until(listed, pause=0.1)
    desk.open(found[0])
    return found[0]


def _work_through(desk: Browser, case: str) -> None:
    """Answer what a person has to answer, until there is something to approve."""
    answered: set[str] = set()

    def approvable() -> bool:
        desk.open(case)
        asked = {form.action for form in desk.forms("/found")} - answered
        if desk.forms("/matches"):
            desk.judge("no:namesake")
        elif asked:
            action = asked.pop()
            desk.press(action, nothing="searched-nothing-held")
            answered.add(action)
        return bool(desk.forms("/approve"))

    until(approvable, pause=0.05)


def _prove(demo: Demo, before: list[str]) -> None:
    """Answer the mail that was not there before: an earlier one is somebody else's."""
    person, mail = demo.visitor(), _mail(demo, "/prove/", but=before)
    person.open(_link(mail, "prove"))
    person.press(_link(mail, "prove"), code=_code(mail))


def _fetch(demo: Demo) -> None:
    person, letter = demo.visitor(), _mail(demo, "/answer/")
    link = _link(letter, "answer")
    person.open(link)
    before = _mails(demo)
    person.press(f"{link}/code")
    until(lambda: len(_mails(demo)) > len(before))
    (mail,) = [mail for mail in _mails(demo) if mail not in before]
    answer = person.http.post(link, data={"code": _code(mail)}, headers={"Origin": demo.url})
    assert answer.headers["content-type"] == "application/zip"


def _mails(demo: Demo) -> list[str]:
    page = demo.visitor().open("/outbox")
    return [html.unescape(text) for text in re.findall(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL)]


def _mail(demo: Demo, words: str, *, but: Sequence[str] = ()) -> str:
    """The newest mail that says so, when it is there."""
    found: list[str] = []

    def there() -> bool:
        found[:] = [mail for mail in _mails(demo) if words in mail and mail not in but]
        return bool(found)

    until(there, pause=0.1)
    return found[0]


def _link(mail: str, purpose: str) -> str:
    found = re.search(rf"http://\S+?(/{purpose}/[\w-]+)", mail)
    assert found, mail
    return found.group(1)


def _code(mail: str) -> str:
    found = re.search(r"^\s*(\d{4} ?\d{4})\s*$", mail, re.MULTILINE)
    assert found, mail
    return found.group(1)
