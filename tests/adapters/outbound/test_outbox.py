"""The drawer that keeps letters as files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.outbound.outbox import Outbox
from domain.vocabulary import LetterKind
from services.ports import OutgoingMail, Unavailable

AT = dt.datetime(2026, 11, 2, 8, 30, tzinfo=dt.UTC)


def ticking() -> Callable[[], dt.datetime]:
    moments = iter(AT + dt.timedelta(minutes=n) for n in range(100))
    return lambda: next(moments)


def letter(key: str, text: str = "Hei på deg.\n") -> OutgoingMail:
    return OutgoingMail(
        key=key,
        sender="Fjordlys kulturhus <post@fjordlys.example>",
        recipient="tove.testesen@person.example",
        subject="Svar på forespørselen din (sak FJ-2026-0007)",
        text=text,
        html="<p>Hei på deg.</p>\n",
        kind=LetterKind.ANSWER,
        in_reply_to="<q@person.example>",
    )


def test_a_letter_in_the_drawer_reads_as_it_was_written(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox", clock=ticking())
    outbox.send(letter("one"))

    (stored,) = outbox.messages()
    assert stored.kind is LetterKind.ANSWER
    assert stored.at == AT
    assert stored.recipient == "tove.testesen@person.example"
    assert stored.subject == "Svar på forespørselen din (sak FJ-2026-0007)"
    assert (stored.text, stored.html) == ("Hei på deg.\n", "<p>Hei på deg.</p>\n")
    assert stored.in_reply_to == "<q@person.example>"
    assert stored.path.read_bytes().startswith(b"From: Fjordlys kulturhus <")


def test_the_same_key_is_written_once_and_the_first_stays(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, clock=ticking())
    outbox.send(letter("one", "first\n"))
    outbox.send(letter("one", "second\n"))
    Outbox(tmp_path, clock=ticking()).send(letter("one", "third\n"))

    assert [mail.text for mail in outbox.messages()] == ["first\n"]


def test_letters_lie_in_the_order_they_were_sent(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, clock=ticking())
    for key in ("b", "a", "c"):
        outbox.send(letter(key, f"{key}\n"))

    assert [mail.text for mail in outbox.messages()] == ["b\n", "a\n", "c\n"]


def test_letters_of_one_second_lie_in_that_order_too(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, clock=lambda: AT)
    for number in range(20):
        outbox.send(letter(f"key {number}", f"{number}\n"))

    assert [mail.text for mail in outbox.messages()] == [f"{number}\n" for number in range(20)]


def test_only_whole_letters_lie_in_the_drawer(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, clock=ticking())
    outbox.send(letter("one"))

    assert [path.suffix for path in tmp_path.iterdir()] == [".eml"]


def test_the_drawer_is_closed_to_others(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox", clock=ticking())
    outbox.send(letter("one"))

    assert (tmp_path / "outbox").stat().st_mode & 0o077 == 0
    assert outbox.messages()[0].path.stat().st_mode & 0o077 == 0


def test_a_drawer_that_is_gone_is_unavailable(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox", clock=ticking())
    (tmp_path / "outbox").rmdir()

    with pytest.raises(Unavailable, match="outbox cannot be written"):
        outbox.send(letter("one"))
