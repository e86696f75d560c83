"""veraPDF, the open validator of PDF/UA and PDF/A: one Java process for all files of a run."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.components import alone_with, cache, unavailable

_HERE = Path(__file__).with_name("verapdf")
_COPY = "dependency:copy-dependencies"
_HINT = "install a JDK (17 or newer) and Maven"


def verdicts(asked: Sequence[tuple[str, Path]]) -> Mapping[tuple[str, str], str]:
    """What the validator says of each file for a flavour: `passes`, or which clauses it breaks."""
    java = shutil.which("java")
    if java is None or shutil.which("javac") is None:
        unavailable("veraPDF", _HINT)
    quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
    ran = subprocess.run(
        [java, *quick, "-cp", f"{_library()}/*", str(_HERE / "CheckPdf.java")],
        input="".join(f"{flavour}\t{file}\n" for flavour, file in asked),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2_000:]
    said = [line.split("\t", 2) for line in ran.stdout.splitlines() if line.count("\t") == 2]
    return {(flavour, Path(name).name): verdict for flavour, name, verdict in said}


def _library() -> Path:
    pom = _HERE / "pom.xml"
    folder = cache() / f"verapdf-{pom.stat().st_size}"
    if folder.exists():
        return folder
    maven = shutil.which("mvn")
    if maven is None:
        unavailable("veraPDF", _HINT)
    with alone_with(folder):
        if not folder.exists():
            part = folder.with_name(folder.name + ".part")
            shutil.rmtree(part, ignore_errors=True)
            fetched = subprocess.run(
                [maven, "-q", "-B", "-f", pom, _COPY, f"-DoutputDirectory={part}"],
                capture_output=True,
                text=True,
                timeout=280,
                check=False,
            )
            if fetched.returncode:
                unavailable("veraPDF", f"Maven could not fetch it: {fetched.stdout[-400:]}")
            part.rename(folder)
    return folder
