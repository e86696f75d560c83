"""What is kept with a case: notes, files that are never shown inline, and its related cases."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from starlette.datastructures import UploadFile

from adapters.inbound.web.pages import Form, NotHere, PageRoute, Sent, download, go, one_of
from adapters.inbound.web.session import AtDesk, Reveals
from adapters.inbound.web.steps import address_of, carry_out, id_in
from domain.errors import DomainError
from domain.folder import FileKind
from domain.personal import PersonalRef
from domain.vocabulary import Content
from services import dossier
from services.filing import MOST_BYTES
from services.ports import Attachment, Erased

BINARY = "application/octet-stream"

router = APIRouter(prefix="/desk/cases/{case_id}", route_class=PageRoute, include_in_schema=False)


@router.post("/notes")
def note(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    case = desk.case(case_id)

    def command() -> None:
        desk.installation.filing.note(case.id, words=sent.one("note"), by=desk.staff_id)

    return carry_out(desk, case, sent, command, form="note", done="noted", place="notes")


class Upload:
    """A form with one file, as it was sent; nothing about it is believed yet."""

    def __init__(self, sent: Sent, document: Attachment | None) -> None:
        self.sent, self.document = sent, document


async def upload(request: Request) -> Upload:
    """The file that was chosen, if one was, with the fields beside it."""
    form = await request.form(max_files=1, max_fields=60, max_part_size=MOST_BYTES + 1)
    fields = {name: [v for v in form.getlist(name) if isinstance(v, str)] for name in form}
    chosen = form.get("document")
    if not isinstance(chosen, UploadFile) or not chosen.filename:
        return Upload(Sent(fields), None)
    name = chosen.filename.replace("\\", "/").rpartition("/")[2][:200]
    content = await chosen.read(MOST_BYTES + 1)
    return Upload(Sent(fields), Attachment(name, chosen.content_type or BINARY, content))


Uploaded = Annotated[Upload, Depends(upload)]


@router.post("/files")
def put_in(desk: AtDesk, case_id: UUID, uploaded: Uploaded) -> Response:
    case, sent = desk.case(case_id), uploaded.sent

    def command() -> None:
        if uploaded.document is None:
            raise DomainError("choose a file", key="file-needed")
        kind = one_of(FileKind, sent.one("kind"))
        desk.installation.filing.file(case.id, uploaded.document, kind=kind, by=desk.staff_id)

    return carry_out(desk, case, sent, command, form="file", done="filed", place="files")


@router.post("/files/{file_id}/remove")
def remove(desk: AtDesk, case_id: UUID, file_id: UUID, sent: Form) -> Response:
    case = desk.case(case_id)

    def command() -> None:
        desk.installation.filing.remove(case.id, file_id, by=desk.staff_id)

    return carry_out(desk, case, sent, command, form="file", done="recorded", place="files")


@router.get("/files/{file_id}")
def fetch(desk: Reveals, case_id: UUID, file_id: UUID) -> Response:
    """A file that staff put into the case."""
    case = desk.case(case_id)
    folder = desk.installation.register.find_folder(case.id)
    ref = PersonalRef(file_id)
    if folder is None or ref not in folder.files:
        raise NotHere
    if desk.look_into(case, Content.PACKAGE) is None:
        return go(address_of(case))
    try:
        document = desk.installation.filing.document(ref)
    except Erased:
        raise NotHere from None
    return _file(document.content, document.name, f"{case.reference}-file")


@router.get("/attachments/{number}")
def attachment(desk: Reveals, case_id: UUID, number: int) -> Response:
    """What was attached to the first message."""
    case = desk.case(case_id)
    if not 1 <= number <= len(case.attachments):
        raise NotHere
    if desk.look_into(case, Content.MESSAGE) is None:
        return go(address_of(case))
    vault = desk.installation.vault
    try:
        content = vault.open(case.attachments[number - 1])
        names = dossier.MESSAGE.validate_json(vault.open(case.message)).attachments
    except Erased:
        raise NotHere from None
    name = names[number - 1] if number <= len(names) else ""
    return _file(content, name, f"{case.reference}-{number}")


def _file(content: bytes, name: str, otherwise: str) -> Response:
    """To keep, under a name that no header and no file system can be fooled with."""
    stem, dot, ending = name.rpartition(".")
    ending = f".{ending.lower()}" if dot and stem and ending.isascii() and ending.isalnum() else ""
    return download(content, f"{otherwise}{ending[:9]}", media_type=BINARY)


# Other cases of the same person


@router.post("/related/{way}")
def relate(desk: AtDesk, case_id: UUID, way: str, sent: Form) -> Response:
    """Two requests are one and the same, or are two after all."""
    case = desk.case(case_id)
    own = desk.asked(case, id_in(sent.one("own")))
    other = desk.installation.register.request(id_in(sent.one("other")))
    desk.case(other.case_id)

    def command() -> None:
        if way == "link":
            desk.installation.receipts.link(own.id, to=other.id, by=desk.staff_id)
        elif way == "unlink":
            desk.installation.mistakes.unlink(own.id, to=other.id, by=desk.staff_id)
        else:
            raise NotHere

    done = "linked" if way == "link" else "unlinked"
    return carry_out(desk, case, sent, command, form="related", done=done, place="related")
