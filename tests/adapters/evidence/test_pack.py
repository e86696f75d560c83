"""An evidence pack proves one case, names nobody, and shows whatever was done to it (Art. 5(2))."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from pypdf import PdfReader

from adapters.bootstrap import signing_keys
from adapters.evidence import trettio_verify
from adapters.inbound.web.evidence_pack import evidence_pack
from domain.vocabulary import Compartment
from tests.support.chained import STRANGE, ring
from tests.support.house import KARI, House, open_house
from tests.support.steps import asked_for_access

Content = dict[str, bytes]


@dataclass(frozen=True)
class Made:
    """A pack, the case it is of, and the only key that its reader trusts."""

    house: House
    case_id: UUID
    request_id: UUID
    content: Mapping[str, bytes]
    fingerprint: str
    folder: Path

    def spoiled(self, change: Callable[[Content], None], *, trusted: str = "") -> list[str]:
        """The places of what is wrong once somebody has changed it."""
        content = dict(self.content)
        change(content)
        path = self.folder / "spoiled.zip"
        with zipfile.ZipFile(path, "w") as pack:
            for name, one in content.items():
                pack.writestr(name, one)
        _, faults = trettio_verify.check_pack(path, {trusted or self.fingerprint})
        return [fault.place for fault in faults]


@pytest.fixture(scope="module")
def made(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("evidence")
    with open_house(module_database_url, folder / "home") as house:
        case_id, request_id = asked_for_access(house)
        house.receive("Spørsmål om billetter", subject="Billetter")
        pack = evidence_pack(house.installation, case_id)
        key = signing_keys(house.installation.settings).current
        yield Made(house, case_id, request_id, opened(pack), key.fingerprint, folder)


def opened(pack: bytes) -> Content:
    with zipfile.ZipFile(BytesIO(pack)) as content:
        return {name: content.read(name) for name in content.namelist()}


def events(content: Mapping[str, bytes]) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(content["events.json"])["events"]
    return found


def test_a_pack_that_nobody_touched_verifies(made: Made) -> None:
    assert made.spoiled(lambda content: None) == []


def test_it_holds_every_event_of_its_case_and_of_others_only_digests(made: Made) -> None:
    log = made.house.installation.database.ask(
        "SELECT notification_id, originator_id FROM trettio.log"
    )
    others = {str(one) for _, one in log} - {str(one["aggregate"]) for one in events(made.content)}

    whole = b"".join(made.content.values()).decode(errors="replace")
    assert {"case.arrived", "request.received", "fulfilment.planned"} <= {
        str(one["topic"]) for one in events(made.content)
    }
    assert len(events(made.content)) < len(log)
    assert others
    assert not [one for one in others if one in whole]


def test_it_names_nobody_and_its_pages_tell_the_story_in_four_languages(made: Made) -> None:
    said = {
        name: "\n".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages)
        for name, content in made.content.items()
        if name.endswith(".pdf")
    }

    assert sorted(said) == [f"account.{one}.pdf" for one in ("en", "nb", "nn", "sv")]
    assert "Art. 15" in said["account.en.pdf"]
    assert "What happened, in order" in said["account.en.pdf"]
    assert "Kva som hende" in said["account.nn.pdf"]
    for text in (
        *said.values(),
        *(made.content[one].decode() for one in ("events.json", "facts.json")),
    ):
        assert KARI not in text
        assert "Testesen" not in text


def test_facts_carry_the_terms_of_the_data_privacy_vocabulary(made: Made) -> None:
    facts = json.loads(made.content["facts.json"])

    right = facts["requests"][0]["right"]
    assert right["code"] == "access"
    assert right["dpv"].endswith("/legal/eu/gdpr#A15")
    assert [one for one in facts["sealed"] if one["sealed_sha256"]]


def test_one_byte_of_one_event_is_found(made: Made) -> None:
    def change(content: Content) -> None:
        content["events.json"] = content["events.json"].replace(b"case.arrived", b"case.arrivec", 1)

    assert made.spoiled(change) == [
        "events.json",
        f"position {events(made.content)[0]['position']}",
    ]


@pytest.mark.parametrize("name", ["account.nb.pdf", "facts.json", "README.txt", "signing-key.pem"])
def test_a_file_that_was_changed_or_swapped_is_found(made: Made, name: str) -> None:
    def change(content: Content) -> None:
        content[name] = made.content["account.sv.pdf"]

    assert made.spoiled(change) == [name]


def test_a_file_that_was_added_or_taken_away_is_found(made: Made) -> None:
    assert made.spoiled(lambda content: content.update({"more.txt": b"more"})) == ["more.txt"]
    assert made.spoiled(lambda content: content.update({"facts.json": b""})) == ["facts.json"]


def test_an_event_taken_out_or_two_swapped_are_found_even_with_every_digest_made_anew(
    made: Made,
) -> None:
    """Somebody who has the signing key and rewrites a pack still lacks the statements."""
    key = signing_keys(made.house.installation.settings).current

    def sealed_again(content: Content) -> None:
        manifest = json.loads(content["manifest.json"])
        manifest["files"] = {
            name: sha256(one).hexdigest()
            for name, one in content.items()
            if name != "manifest.json"
        }
        del manifest["signature"]
        manifest["signature"] = key.sign(trettio_verify.canonical(manifest))
        content["manifest.json"] = json.dumps(manifest).encode()

    def taken_out(content: Content) -> None:
        some = events(content)
        content["events.json"] = json.dumps({"events": some[:1] + some[2:]}).encode()
        sealed_again(content)

    def swapped(content: Content) -> None:
        some = events(content)
        some[0]["state"], some[1]["state"] = some[1]["state"], some[0]["state"]
        content["events.json"] = json.dumps({"events": some}).encode()
        sealed_again(content)

    assert made.spoiled(sealed_again) == []
    assert made.spoiled(taken_out) != []
    first, second = (one["position"] for one in events(made.content)[:2])
    assert made.spoiled(swapped) == [f"position {first}", f"position {second}"]


def test_a_statement_that_was_changed_is_found(made: Made) -> None:
    def change(content: Content) -> None:
        chain = json.loads(content["chain.json"])
        chain["statements"][-1] = chain["statements"][-1].replace("checkpoint", "restored")
        content["chain.json"] = json.dumps(chain).encode()

    assert [one for one in made.spoiled(change) if one.startswith("statement")]


def test_a_pack_sealed_by_a_stranger_is_found(made: Made) -> None:
    stranger = ring(STRANGE).current.fingerprint

    assert "manifest.json" in made.spoiled(lambda content: None, trusted=stranger)


@pytest.mark.parametrize("wrong", [b"", b"PK\x03\x04 no zip", b"{}"])
def test_what_is_no_pack_is_said_to_be_none(made: Made, wrong: bytes) -> None:
    path = made.folder / "wrong.zip"
    path.write_bytes(wrong)

    assert trettio_verify.check_pack(path, set())[1]


def test_the_program_runs_alone_and_says_whose_key_it_was(made: Made) -> None:
    """With nothing but `cryptography`, from a directory where nothing of ours can be imported."""
    alone = made.folder / "trettio_verify.py"
    alone.write_bytes(Path(trettio_verify.__file__).read_bytes())
    (made.folder / "pub.pem").write_bytes(made.content["signing-key.pem"])
    assert made.spoiled(lambda content: None) == []

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-I", alone.name, "spoiled.zip", *arguments],
            cwd=made.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    assert run("--key", "pub.pem").returncode == 0
    without = run()
    assert without.returncode == 2
    assert trettio_verify.told(made.fingerprint) in without.stdout
    assert len(alone.read_text().splitlines()) <= 300


def test_it_works_when_the_content_was_destroyed_and_says_by_which_proof(made: Made) -> None:
    installation = made.house.installation
    before = opened(evidence_pack(installation, made.case_id, with_content=True))
    installation.vault.destroy(made.case_id, Compartment.CORRESPONDENCE)
    content = opened(evidence_pack(installation, made.case_id, with_content=True))

    assert KARI in before["content.json"].decode()
    assert KARI not in content["content.json"].decode()
    facts = json.loads(content["facts.json"])
    gone = [one for one in facts["sealed"] if one["destroyed_with_key"]]
    assert gone
    assert {one["destroyed_with_key"] for one in gone} == {facts["destructions"][0]["key"]}
