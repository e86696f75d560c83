"""The container files, held against the code: what they run, name and allow (Art. 32).

No engine runs here, so every command, variable and path in them is looked up where it is defined.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from adapters.inbound.cli.health import Role
from adapters.inbound.cli.main import app
from adapters.settings import FROM_FILES, PREFIX, Settings, load_settings
from tests.support.components import unavailable

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CONTAINERFILE = (DEPLOY / "Containerfile").read_text()
OURS = "trettio:"
ROLES = {"trettio", "web", "work", "follow", "migrate"}


def _merged(one: object, other: object) -> object:
    """As Compose merges a second file: maps deeply, anything else is replaced."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {
            key: _merged(one[key], other[key])
            if key in one and key in other
            else one.get(key, other.get(key))
            for key in {**one, **other}
        }
    return other


def _read(*names: str) -> dict[str, Any]:
    read: object = {}
    for name in names:
        read = _merged(read, yaml.safe_load((DEPLOY / name).read_text()))
    assert isinstance(read, dict)
    return read


VARIANTS = {
    "one process": _read("compose.yaml"),
    "scaled": _read("compose.yaml", "compose.scaled.yaml"),
}
SERVICES = [
    pytest.param(name, service, id=f"{variant}: {name}")
    for variant, file in VARIANTS.items()
    for name, service in file["services"].items()
]
OF_OURS = [
    parameter
    for parameter in SERVICES
    if str(parameter.values[1].get("image", "")).startswith(OURS)  # type: ignore[union-attr]
]


# The image


def test_the_containerfile_is_clean_to_its_linter() -> None:
    program = Path(sys.executable).with_name("hadolint")
    if not program.exists():
        unavailable("hadolint", "uv sync installs it where it exists for this system")
    done = subprocess.run(
        [program, DEPLOY / "Containerfile"], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_runs_as_an_ordinary_user_and_brings_every_package() -> None:
    users = re.findall(r"^USER (\S+)$", CONTAINERFILE, re.MULTILINE)
    assert users[-1] == "10001:10001"
    copied = set(re.findall(r"^COPY (\w+) \1$", CONTAINERFILE, re.MULTILINE))
    assert copied == {"domain", "services", "projections", "adapters"}
    for name in re.findall(r"^COPY ([\w./ -]+) \S+$", CONTAINERFILE, re.MULTILINE):
        assert all((ROOT / word).exists() for word in name.split() if not word.startswith("--"))
    assert re.search(r"^FROM python:3\.(\d+)", CONTAINERFILE, re.MULTILINE)


def test_the_image_sets_only_settings_that_exist() -> None:
    named = set(re.findall(rf"\b{PREFIX}\w+", CONTAINERFILE))

    assert named
    assert named <= {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}


def test_the_image_starts_a_command_that_exists() -> None:
    assert 'ENTRYPOINT ["trettio"]' in CONTAINERFILE
    assert 'CMD ["serve"]' in CONTAINERFILE
    _must_parse(["serve"])


# Every service


@pytest.mark.parametrize(("name", "service"), SERVICES)
def test_a_service_is_confined(name: str, service: dict[str, Any]) -> None:
    """Not root, nothing to write to but volumes and memory, no capability, none to be gained."""
    user = str(service["user"]).split(":")
    assert all(part.isdigit() and int(part) > 0 for part in user)
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", []))
    assert service.get("network_mode") is None


@pytest.mark.parametrize(("name", "service"), SERVICES)
def test_a_service_has_a_pinned_version_and_something_that_looks_after_it(
    name: str, service: dict[str, Any]
) -> None:
    assert re.fullmatch(r"[\w./-]+:\d+\.\d+(\.\d+)?(-alpine)?", service["image"])
    if name == "migrate":
        assert service["restart"] == "no"
        return
    assert service["restart"] == "unless-stopped"
    serves = service.get("command") in (["serve"], ["serve", "--only-web"])
    assert "healthcheck" in service or serves  # the image's own asks the web page


@pytest.mark.parametrize("file", VARIANTS.values(), ids=VARIANTS)
def test_everything_a_service_names_is_there(file: dict[str, Any]) -> None:
    for name, service in file["services"].items():
        for other, how in _depends(service).items():
            assert other in file["services"], (name, other)
            if how == "service_healthy":
                assert "healthcheck" in file["services"][other]
        for secret in service.get("secrets", []):
            assert secret in file["secrets"], (name, secret)
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in file["volumes"] or source.startswith("./"), (name, volume)
            if source.startswith("./"):
                assert volume.endswith(":ro"), (name, volume)


@pytest.mark.parametrize("file", VARIANTS.values(), ids=VARIANTS)
def test_no_secret_stands_in_the_files(file: dict[str, Any]) -> None:
    for service in file["services"].values():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|KEY|TOKEN|SECRET|_URL", variable):
                assert variable.endswith("_FILE"), variable
                assert str(value).startswith("/run/"), variable


# Our services


def test_the_roles_are_all_there_and_run_apart_when_scaled() -> None:
    one = {name for name, s in VARIANTS["one process"]["services"].items() if _is_ours(s)}
    assert one == {"migrate", "trettio"}
    scaled = {n: s["command"] for n, s in VARIANTS["scaled"]["services"].items() if _is_ours(s)}
    assert scaled == {
        "migrate": ["migrate"],
        "trettio": ["serve", "--only-web"],
        "web": ["serve", "--only-web"],
        "work": ["work"],
        "follow": ["follow"],
        "publish": ["publish"],
        "mail": ["mail"],
    }
    # They end at once where nothing says where mail comes in, or Kafka is: only when asked for.
    for name in ("mail", "publish"):
        assert VARIANTS["scaled"]["services"][name]["profiles"] == [name]


@pytest.mark.parametrize(("name", "service"), OF_OURS)
def test_what_a_service_runs_exists(name: str, service: dict[str, Any]) -> None:
    _must_parse(service["command"])
    check = service.get("healthcheck", {}).get("test")
    if check:
        assert check[:2] == ["CMD", "trettio"]
        _must_parse(check[2:])
        asked = check[4::2]
        assert name in asked
        assert set(asked) <= {role.value for role in Role}


@pytest.mark.parametrize(("name", "service"), OF_OURS)
def test_what_a_service_is_told_are_valid_settings(
    name: str, service: dict[str, Any], tmp_path: Path
) -> None:
    """Each variable exists, each path is mounted, and the whole is accepted by the settings."""
    environ = dict(service["environment"])
    assert set(environ) <= {f"{PREFIX}{one.upper()}" for one in Settings.model_fields}
    mounted = [volume.split(":")[1] for volume in service["volumes"]]
    mounted += [f"/run/secrets/{secret}" for secret in service["secrets"]]
    for variable in ("HOME", "DATABASE_URL_FILE", "MASTER_KEY_FILE", "PROFILES"):
        assert any(environ[PREFIX + variable].startswith(path) for path in mounted), variable

    for name in FROM_FILES:
        if f"{PREFIX}{name.upper()}_FILE" in environ:
            (tmp_path / name).write_text("postgresql://trettio@database/trettio")
            environ[f"{PREFIX}{name.upper()}_FILE"] = str(tmp_path / name)
    environ["TRETTIO_PROFILES"] = str(tmp_path)
    settings = load_settings(environ)
    assert settings.database_url is not None
    assert not settings.keeps_key_inside


@pytest.mark.parametrize(("name", "service"), OF_OURS)
def test_nothing_of_ours_starts_before_the_schema_is_there(
    name: str, service: dict[str, Any]
) -> None:
    wanted = (
        {"database": "service_healthy"}
        if name == "migrate"
        else {"migrate": "service_completed_successfully"}
    )
    assert _depends(service) == wanted


@pytest.mark.parametrize(("name", "service"), OF_OURS)
def test_every_process_of_ours_is_set_up_alike(name: str, service: dict[str, Any]) -> None:
    """The scaled file repeats what a process needs; it must not drift from the other one."""
    first = VARIANTS["one process"]["services"]["trettio"]

    for key in ("image", "user", "tmpfs", "env_file", "environment", "secrets", "volumes"):
        assert service[key] == first[key], key
    if name != "migrate":
        assert service["stop_grace_period"] == first["stop_grace_period"] == "45s"


def test_the_balancer_asks_health_of_web_processes_that_exist() -> None:
    told = (DEPLOY / "haproxy.cfg").read_text()
    scaled = VARIANTS["scaled"]["services"]

    servers = re.findall(r"^ +server(?:-template)? .*?(\w+):(\d+)$", told, re.MULTILINE)
    assert {name for name, _ in servers} == {"trettio", "web"}
    for name, port in servers:
        assert scaled[name]["command"] == ["serve", "--only-web"]
        assert scaled[name]["environment"]["TRETTIO_PORT"] == port
    assert "uri /health" in told
    every = re.search(r"check inter (\d+)s fall 1", told)
    assert every
    assert float(every[1]) < Settings.model_fields["leave_seconds"].default
    assert scaled["balancer"]["volumes"][0].split(":")[0] == "./haproxy.cfg"


# What the README tells an operator


PAGES = {"README.md": 10, "contract/README.md": 5}
"""What operators and partners read, and how many commands of ours it names at least."""


def _told(page: str) -> list[str]:
    """Every line of a page's shell blocks, continued lines joined."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (DEPLOY / page).read_text(), re.M | re.S)
    text = "".join(blocks).replace("\\\n", " ")
    return [line.strip() for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("page", PAGES)
def test_every_trettio_command_on_the_page_exists(page: str) -> None:
    found = 0
    for line in _told(page):
        for command in re.findall(r"(?:^|[|&(]\s*|trettio )trettio ([^|&>)#]*)", line):
            _must_parse(shlex.split(command.strip()))
            found += 1
    assert found >= PAGES[page]


@pytest.mark.parametrize("page", PAGES)
def test_every_setting_and_file_on_the_page_exists(page: str) -> None:
    text = (DEPLOY / page).read_text()
    for variable in set(re.findall(rf"\b{PREFIX}[A-Z_]*[A-Z]\b", text)):
        assert variable.startswith("TRETTIO_SYSTEM__") or (
            variable.removeprefix(PREFIX).lower() in Settings.model_fields
        ), variable
    for link in re.findall(r"\]\((?!http|#)([^)#]+)\)", text):
        assert (DEPLOY / page).parent.joinpath(link).exists(), link


def _is_ours(service: dict[str, Any]) -> bool:
    return str(service["image"]).startswith(OURS)


def _depends(service: dict[str, Any]) -> dict[str, str]:
    told = service.get("depends_on", {})
    if isinstance(told, list):
        return dict.fromkeys(told, "service_started")
    return {name: how["condition"] for name, how in told.items()}


def _must_parse(words: list[str]) -> None:
    """Click takes the words apart as it would, down to the last command, without running it."""
    command: Any = get_command(app)
    context = None
    rest = list(words)
    while True:
        context = command.make_context(command.name or "trettio", rest, parent=context)
        if not hasattr(command, "resolve_command"):
            return
        remaining = [*context._protected_args, *context.args]
        assert remaining, f"{words} names no command"
        _, command, rest = command.resolve_command(context, remaining)
