"""A watched folder: nothing dropped there is lost, nothing is taken twice."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from adapters.inbound.mailroom.folder import KEPT_DAYS, Folder
from adapters.inbound.mailroom.letterbox import Letterbox
from tests.support.house import NORWAY, SWEDEN, House
from tests.support.incoming import SWEDISH_PRIVACY, cases, mail


@pytest.fixture
def root(tmp_path: Path) -> Path:
    place = tmp_path / "mail"
    place.mkdir()
    return place


def drop(path: Path, content: bytes, *, seconds_ago: float = 60) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    then = time.time() - seconds_ago
    os.utime(path, (then, then))


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_lies_there_is_taken_refused_or_left(house: House, root: Path) -> None:
    drop(root / "one.eml", mail())
    drop(root / SWEDEN / "two.eml", mail(to="somebody@else.example"))
    drop(root / "stray.eml", mail(to="somebody@else.example"))
    drop(root / "broken.eml", b"%PDF-1.7")
    drop(root / "nobody" / "three.eml", mail())
    drop(root / "growing.eml", mail()[:100], seconds_ago=0)
    drop(root / "notes.txt", b"left alone")
    (root / "link.eml").symlink_to("/etc/hostname")
    folder = Folder(Letterbox(house.installation), root)

    assert folder.look() == 5

    assert {case.controller for case in cases(house)} == {NORWAY, SWEDEN}
    assert names(root / "done") == {"one.eml", "two.eml"}
    refused = {"stray.eml", "broken.eml", "three.eml"}
    assert names(root / "refused") == refused | {f"{name}.reason.txt" for name in refused}
    assert "PDF" in (root / "refused" / "broken.eml.reason.txt").read_text()
    assert {"growing.eml", "notes.txt", "link.eml"} <= names(root)
    settings = house.installation.settings.model_copy(update={"mail_folder": root})
    warned = replace(house.installation, settings=settings).warnings()
    assert "3 messages in the mail folder were refused" in warned
    assert folder.look() == 0


def test_what_the_database_has_not_taken_stays(
    house: House, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(root / "one.eml", mail())
    folder = Folder(Letterbox(house.installation), root)
    monkeypatch.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(OSError("killed")))
    with pytest.raises(OSError, match="killed"):
        folder.look()
    monkeypatch.undo()
    receive = house.installation.intake.receive

    def away(*_: object, **__: object) -> None:
        raise psycopg.OperationalError("away")

    monkeypatch.setattr(house.installation.intake, "receive", away)
    with pytest.raises(psycopg.OperationalError):
        folder.look()
    assert names(root) == {"one.eml", "done", "refused", ".lock"}

    monkeypatch.setattr(house.installation.intake, "receive", receive)
    assert folder.look() == 1
    assert len(cases(house)) == 1, "it was in the database already when the move failed"


def test_of_two_who_look_at_once_one_waits(house: House, root: Path) -> None:
    drop(root / "one.eml", mail())
    folder = Folder(Letterbox(house.installation), root)
    seen: list[int] = []
    take = folder._letterbox.take

    class Meanwhile(Letterbox):
        def take(self, raw: bytes, controller: str | None = None) -> object:  # type: ignore[override]
            seen.append(Folder(folder._letterbox, root).look())
            return take(raw, controller)

    assert Folder(Meanwhile(house.installation), root).look() == 1
    assert seen == [0]


def test_a_maildir_is_read_and_same_names_keep_their_messages(house: House, root: Path) -> None:
    for name in ("new", "cur", "tmp"):
        (root / name).mkdir()
    (root / "new" / "1.host").write_bytes(mail())
    drop(root / "same.eml", mail(message_id="<second@person.example>"))
    folder = Folder(Letterbox(house.installation), root)
    assert folder.look() == 2
    assert names(root / "cur") == {"1.host:2,S"}
    drop(root / "same.eml", mail(to=SWEDISH_PRIVACY))

    assert folder.look() == 1

    assert len(names(root / "done")) == 2
    assert len(cases(house)) == 3


def test_done_is_emptied_when_only_the_vault_should_keep_it(
    house: House, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(root / "one.eml", mail())
    drop(root / "broken.eml", b"%PDF-1.7")
    folder = Folder(Letterbox(house.installation), root)
    folder.look()
    now = time.time() + (KEPT_DAYS + 1) * 86_400
    monkeypatch.setattr(time, "time", lambda: now)

    folder.look()

    assert names(root / "done") == set()
    assert "broken.eml" in names(root / "refused"), "somebody has yet to look at it"
