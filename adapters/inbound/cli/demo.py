"""`trettio demo`: the main job with invented people, on this machine alone."""

from __future__ import annotations

import os
import socket
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Annotated, TextIO

import typer

PORT = 8030
FOLDER = "demo"
"""Where below the home its data lies, apart from a real installation's."""

_HOME = "TRETTIO_HOME"

_INVITATION = """\
Trettio is ready: {address}/demo

Two invented organisations, three mails that came for them, and a tour of five minutes: confirm
Ingrid's mail, let her show who she is, reject the match that is not hers, look through the
answer and send it, and see it as she does. The pages tell what to do next. At the end, fetch the
evidence pack of her case, and in another terminal:

  TRETTIO_HOME={folder} trettio verify PACK.zip           # nothing was changed
  TRETTIO_HOME={folder} trettio verify PACK.zip --spoil   # one byte of a copy was: where?
{past}
Everything here is invented, and nothing can leave this machine.
Data and log: {folder}
Ctrl-C stops it; the next start finds everything as you left it.
"""

_PAST = """
The six months before are lived in the background: 300 requests, and the board fills up.
"""


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port on this machine; 0 takes a free one.")
    ] = PORT,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Do not open the browser.")
    ] = False,
    past: Annotated[
        bool,
        typer.Option("--past/--no-past", help="Live the six months before, in the background."),
    ] = True,
) -> None:
    """Try it: two invented organisations, three mails waiting. Nothing leaves this machine."""
    from adapters.demo import fence

    fence.close()
    _forget_settings()

    from adapters.demo.groundwork import alone_in, database
    from adapters.inbound.cli.console import ending_in_order, settings_or_stop, start_errors

    folder = settings_or_stop().home / FOLDER
    with (
        ending_in_order(),
        start_errors(),
        _bound(port) as listening,
        alone_in(folder),
        _log(folder) as log,
        database(folder) as url,
    ):
        from adapters.demo.demonstration import demonstration
        from adapters.demo.door import application
        from adapters.inbound.server import run_web
        from adapters.logs import configure
        from adapters.roles import running

        configure("json", to=log)
        port = listening.getsockname()[1]
        address = f"http://127.0.0.1:{port}"
        with (
            demonstration(folder, port=port, database=url(), with_past=past) as opened,
            running(opened.installation, web=True, workers=2, follow=True, remind=True),
        ):
            run_web(
                opened.installation,
                app=application(opened),
                listening=listening,
                ready=lambda: _invite(address, folder, past=past, open_browser=not no_browser),
            )


def _forget_settings() -> None:
    """Settings of a real installation have no place here; where the data lies is the exception."""
    for variable in list(os.environ):
        if variable.startswith("TRETTIO_") and variable != _HOME:
            del os.environ[variable]


@contextmanager
def _bound(port: int) -> Iterator[socket.socket]:
    """The port, taken before anything else is started."""
    from adapters.inbound.cli.console import stop

    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
        except OSError as error:
            stop(f"port {port} cannot be used ({error.strerror}): try --port 0")
        yield listening


@contextmanager
def _log(folder: Path) -> Iterator[TextIO]:
    with (folder / "log").open("a", encoding="utf-8") as log:
        yield log


def _invite(address: str, folder: Path, *, past: bool, open_browser: bool) -> None:
    lived = _PAST if past else ""
    sys.stdout.write(_INVITATION.format(address=address, folder=folder, past=lived))
    sys.stdout.flush()
    if open_browser and _has_screen():
        Thread(target=webbrowser.open, args=(f"{address}/demo",), daemon=True).start()


def _has_screen() -> bool:
    """Without one the library would start a browser for terminals, in this very terminal."""
    if sys.platform in {"darwin", "win32"}:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
