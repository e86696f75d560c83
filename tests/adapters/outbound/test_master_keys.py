"""Master keys: given by a variable or a file, never shown, never half written."""

from __future__ import annotations

import base64
import os
import stat
import threading
import traceback
from pathlib import Path

import pytest

from adapters.outbound.master_keys import (
    MasterKey,
    MasterKeys,
    WrongMasterKey,
    add_master_key,
    drop_master_key,
    keep_master_key,
    load_master_keys,
)
from adapters.outbound.sealing import Ring, encrypt


def test_the_first_start_makes_a_key_file_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "master"
    made = load_master_keys(path=path, generate=True)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_master_keys(path=path, generate=True).current == made.current
    assert list(path.parent.iterdir()) == [path]


def test_a_value_goes_before_a_file_and_may_name_older_keys(tmp_path: Path) -> None:
    new, old = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))
    keys = load_master_keys(value=f"{new},{old}", path=tmp_path / "none")

    assert base64.b64encode(keys.current.key).decode() == new
    assert keys.by_id(keys.older[0].id) is keys.older[0]


@pytest.mark.parametrize(
    "value", ["short", "!" * 44, base64.b64encode(b"16 bytes, no more").decode()]
)
def test_a_malformed_key_is_told_without_showing_it(value: str) -> None:
    with pytest.raises(WrongMasterKey, match="must be 32 random bytes in base64") as caught:
        load_master_keys(value=value)
    assert value not in str(caught.value)


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "master"
    load_master_keys(path=path, generate=True)
    path.chmod(0o640)

    with pytest.raises(WrongMasterKey, match="run: chmod 600"):
        load_master_keys(path=path)


def test_a_missing_key_is_told(tmp_path: Path) -> None:
    with pytest.raises(WrongMasterKey, match="does not exist"):
        load_master_keys(path=tmp_path / "none")
    with pytest.raises(WrongMasterKey, match="neither a value nor a file"):
        load_master_keys()


def test_a_new_key_goes_to_the_head_of_the_file_which_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "master"
    first = load_master_keys(path=path, generate=True).current
    path.chmod(0o400)

    second = add_master_key(path)

    assert load_master_keys(path=path).ids == (second.id, first.id)
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert list(tmp_path.iterdir()) == [path]


def test_keys_added_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    path, together = tmp_path / "master", threading.Barrier(6)
    made: list[str] = []

    def add() -> None:
        together.wait()
        made.append(add_master_key(path).id)

    threads = [threading.Thread(target=add) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(load_master_keys(path=path).ids) == sorted(made)
    assert len(set(made)) == 6


def test_a_key_is_taken_out_of_the_file_but_never_the_last_one(tmp_path: Path) -> None:
    path = tmp_path / "master"
    first, second = add_master_key(path), add_master_key(path)

    drop_master_key(path, first.id)

    assert load_master_keys(path=path).ids == (second.id,)
    with pytest.raises(WrongMasterKey, match="holds no key"):
        drop_master_key(path, first.id)
    with pytest.raises(WrongMasterKey, match="is the only one"):
        drop_master_key(path, second.id)


def test_a_recovered_key_makes_the_file_or_joins_its_end(tmp_path: Path) -> None:
    path, key = tmp_path / "keys" / "master", MasterKey(os.urandom(32))

    assert keep_master_key(path, key)
    assert not keep_master_key(path, key)
    newest = add_master_key(path)
    other = MasterKey(os.urandom(32))
    assert keep_master_key(path, other)
    assert load_master_keys(path=path).ids == (newest.id, key.id, other.id)


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(WrongMasterKey, match="cannot be written"):
        add_master_key(tmp_path / "file" / "master")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another")
def test_a_key_may_be_handed_over_through_the_group_by_another_owner(tmp_path: Path) -> None:
    """Container platforms mount secrets so: root owns them, the process's group reads them."""
    path = tmp_path / "master"
    load_master_keys(path=path, generate=True)
    os.chown(path, 65534, -1)
    path.chmod(0o440)
    load_master_keys(path=path)
    path.chmod(0o444)

    with pytest.raises(WrongMasterKey, match="others may read"):
        load_master_keys(path=path)


def test_a_file_that_is_being_changed_takes_no_key_away(tmp_path: Path) -> None:
    path = tmp_path / "master"
    keys = load_master_keys(path=path, generate=True)
    ring = Ring(keys, lambda: load_master_keys(path=path))
    second = add_master_key(path)
    assert ring.find(second.id) is not None

    path.write_text("half a ke")

    assert ring.refresh().ids == (second.id, keys.current.id)
    assert ring.find("unknown") is None
    path.unlink()
    third = add_master_key(path)  # by mistake, instead of the others
    assert ring.refresh().ids == (third.id, second.id, keys.current.id)


def test_no_key_appears_in_a_representation_or_a_traceback() -> None:
    key, other = MasterKey(os.urandom(32)), MasterKey(os.urandom(32))
    ring = Ring(MasterKeys(key, (other,)))
    with pytest.raises(WrongMasterKey) as unknown:
        ring.unwrap("0123456789abcdef", encrypt(key.key, b"secret", b""), b"")
    with pytest.raises(WrongMasterKey) as moved:
        ring.unwrap(key.id, encrypt(key.key, b"secret", b"here"), b"there")

    told = [repr(ring), str(vars(ring)), repr(ring.keys), f"{key!r} {key!s} {[key]}"]
    told += ["".join(traceback.format_exception(caught.value)) for caught in (unknown, moved)]
    for shown in (key.key.hex(), base64.b64encode(key.key).decode(), repr(key.key)):
        assert shown not in "".join(told)
