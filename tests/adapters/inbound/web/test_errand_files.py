"""What a link's holder sends is judged by its content, scanned, and otherwise refused (issue 6)."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from threading import Thread

import pytest

from adapters.inbound.web.errand_files import MOST_BYTES, file_read
from adapters.outbound.scanning import NoScanner, scanner_of
from domain.errors import DomainError
from domain.vocabulary import IdentifierKind
from services.ports import Attachment, Harmful, Identifier, Person, Unavailable
from tests.support.house import KARI

PERSON = Person((Identifier(IdentifierKind.EMAIL, KARI, verified=True),))
PDF = b"%PDF-1.7\n1 0 obj\n%%EOF\n"


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"<html><script>alert(1)</script></html>", "csv-or-pdf"),
        (b"PK\x03\x04" + b"\0" * 40, "csv-or-pdf"),
        (b"%PDF-1.7\nno end", "csv-or-pdf"),
        (b"#!/bin/sh\nrm -rf /\n", "csv-or-pdf"),
        (b"", "file-needed"),
        (b"a" * (MOST_BYTES + 1), "file-too-large"),
        (b"E-post;Navn\nanother@person.example;Ola\n", "no-row-of-theirs"),
        (b"a;b\n1;2\n", "no-telling-column-by-link"),
        (b"E-post;Navn\n" + f"{KARI};Kari\n".encode() * 201, "too-many-rows"),
    ],
)
def test_what_is_no_spreadsheet_of_theirs_and_no_document_is_refused(
    content: bytes, key: str
) -> None:
    document = Attachment("whatever.csv", "text/csv", content)

    with pytest.raises(DomainError) as refused:
        file_read(document, kind="usage", person=PERSON, scanner=NoScanner())

    assert refused.value.key == key


def test_a_document_loses_the_name_that_it_came_with() -> None:
    read = file_read(
        Attachment("../../etc/passwd", "text/html", PDF),
        kind="usage",
        person=PERSON,
        scanner=NoScanner(),
    )

    assert read.document == Attachment("document.pdf", "application/pdf", PDF)


SCANNER = "import sys; said = sys.stdin.buffer.read(); sys.exit(1 if b'EICAR' in said else {code})"


def test_a_command_that_finds_something_or_fails_lets_nothing_in(tmp_path: Path) -> None:
    for code, found in ((0, None), (2, Unavailable)):
        script = tmp_path / f"scan{code}.py"
        script.write_text(SCANNER.format(code=code))
        scanner = scanner_of(f"{sys.executable} -S {script}")
        if found is None:
            scanner.scan(PDF)
        else:
            with pytest.raises(found):
                scanner.scan(PDF)
    with pytest.raises(Harmful):
        scanner.scan(PDF + b"EICAR")
    with pytest.raises(Unavailable):
        scanner_of(str(tmp_path / "not-there")).scan(PDF)
    with pytest.raises(DomainError) as refused:
        file_read(
            Attachment("x.pdf", "application/pdf", PDF + b"EICAR\n%%EOF"),
            kind="usage",
            person=PERSON,
            scanner=scanner,
        )
    assert refused.value.key == "file-harmful"


@pytest.mark.parametrize(
    ("answer", "error"),
    [(b"stream: OK\0", None), (b"stream: Eicar FOUND\0", Harmful), (b"", Unavailable)],
)
def test_clamd_is_asked_by_its_own_protocol(
    tmp_path: Path, answer: bytes, error: type[Exception] | None
) -> None:
    place, heard = tmp_path / "clamd.ctl", bytearray()
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(place))
        door.listen(1)

        def serve() -> None:
            wire, _ = door.accept()
            with wire:
                while not heard.endswith(b"\0\0\0\0"):
                    heard.extend(wire.recv(65_536))
                wire.sendall(answer)

        serving = Thread(target=serve)
        serving.start()
        scanner = scanner_of(f"clamd:{place}")
        if error is None:
            scanner.scan(PDF)
        else:
            with pytest.raises(error):
                scanner.scan(PDF)
        serving.join(timeout=10)

    length = len(PDF).to_bytes(4, "big")
    assert bytes(heard) == b"zINSTREAM\0" + length + PDF + b"\0\0\0\0"
