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
from adapters.evidence.trettio_verify import Fault
from adapters.inbound.web.evidence_pack import evidence_pack
from adapters.outbound.signing_keys import SigningKey
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
        return [fault.place for fault in self.faults(change, trusted=trusted)]

    def faults(self, change: Callable[[Content], None], *, trusted: str = "") -> list[Fault]:
        content = dict(self.content)
        change(content)
        path = self.folder / "spoiled.zip"
        with zipfile.ZipFile(path, "w") as pack:
            for name, one in content.items():
                pack.writestr(name, one)
        _, faults = trettio_verify.check_pack(path, {trusted or self.fingerprint})
        return faults


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


def written(some: list[dict[str, object]]) -> bytes:
    return json.dumps({"events": some}).encode()


def test_ten_events_cut_off_the_end_are_missing_from_their_positions(made: Made) -> None:
    some = events(made.content)

    def change(content: Content) -> None:
        content["events.json"] = written(some[:-10])

    faults = made.faults(change)
    assert [one.place for one in faults] == [
        "events.json",
        *(f"position {one['position']}" for one in some[-10:]),
    ]
    assert {one.what for one in faults[1:]} == {"the event that was recorded here is missing"}


def test_two_events_swapped_in_the_list_only_are_found_where_they_stand(made: Made) -> None:
    some = events(made.content)
    some[3], some[4] = some[4], some[3]

    def change(content: Content) -> None:
        content["events.json"] = written(some)

    faults = made.faults(change)
    assert [one.place for one in faults] == ["events.json", f"position {some[4]['position']}"]
    assert faults[1].what == f"it stands after {some[3]['position']}: the order was changed"


def test_two_events_whose_contents_were_swapped_are_both_found(made: Made) -> None:
    some = events(made.content)
    some[3]["state"], some[5]["state"] = some[5]["state"], some[3]["state"]

    def change(content: Content) -> None:
        content["events.json"] = written(some)

    assert made.spoiled(change) == [
        "events.json",
        f"position {some[3]['position']}",
        f"position {some[5]['position']}",
    ]


def test_a_pack_signed_again_with_a_fresh_key_is_found_and_said_plainly(made: Made) -> None:
    """By the manifest alone, or with every statement as well: nobody trusts that key."""
    fresh = ring(STRANGE).current

    def only_the_manifest(content: Content) -> None:
        signed_again(content, fresh)

    def all_of_it(content: Content) -> None:
        chain, before = json.loads(content["chain.json"]), ""
        for place, line in enumerate(chain["statements"]):
            body = {**json.loads(line), "key": fresh.fingerprint, "previous": before}
            if body["kind"] == "key":
                body["public"] = fresh.public.hex()
            body["signature"] = fresh.sign(signable(body))
            chain["statements"][place] = trettio_verify.canonical(body)
            before = sha256(chain["statements"][place].encode()).hexdigest()
        content["chain.json"] = json.dumps(chain).encode()
        signed_again(content, fresh)

    (said,) = made.faults(only_the_manifest)
    assert said.place == "manifest.json"
    assert f"sealed with key {fresh.fingerprint[:8]}, which no statement" in said.what
    faults = made.faults(all_of_it)
    assert {one.place.split()[0] for one in faults} == {"statement", "manifest.json"}
    assert all("not one that you trust" in one.what for one in faults)


def signable(body: Mapping[str, object]) -> str:
    left = trettio_verify.UNSIGNED
    return trettio_verify.canonical({k: v for k, v in body.items() if k not in left})


def signed_again(content: Content, key: SigningKey) -> None:
    """With every digest made anew."""
    manifest = json.loads(content["manifest.json"])
    manifest["files"] = {
        name: sha256(one).hexdigest() for name, one in content.items() if name != "manifest.json"
    }
    manifest["key"] = key.fingerprint
    manifest["signature"] = key.sign(signable(manifest))
    content["manifest.json"] = json.dumps(manifest).encode()


@pytest.mark.parametrize("name", ["manifest.json", "chain.json", "events.json"])
@pytest.mark.parametrize("wrong", [None, b"", b"[]", b"{}", b'{"events', b"\xff", b"[" * 99_999])
def test_a_file_that_is_needed_and_is_gone_or_unreadable_is_named(
    made: Made, name: str, wrong: bytes | None
) -> None:
    def change(content: Content) -> None:
        del content[name]
        if wrong is not None:
            content[name] = wrong

    assert made.spoiled(change) == [name]


@pytest.mark.parametrize(
    ("name", "part", "place"),
    [
        ("events.json", "events", "entry 1 of events.json"),
        ("chain.json", "segments", "segment 1 of chain.json"),
        ("chain.json", "statements", "statement in line 1"),
    ],
)
@pytest.mark.parametrize("wrong", [None, 5, "x", [], {}, {"position": 1e999, "links": 3}])
def test_an_entry_that_cannot_be_read_is_named(
    made: Made, name: str, part: str, place: str, wrong: object
) -> None:
    def change(content: Content) -> None:
        body = json.loads(content[name])
        body[part][0] = wrong
        content[name] = json.dumps(body).encode()

    assert place in made.spoiled(change)


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
        signed_again(content, key)

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
    first, second = (one["position"] for one in events(made.content)[:2])
    assert f"position {second}" in made.spoiled(taken_out)
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
    assert len(alone.read_text().splitlines()) <= 320


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
