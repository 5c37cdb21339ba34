from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path

import pytest

from kafka_ferry.hooks.hosts import ssm_script


def run(script: str) -> str:
    return subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True).stdout


def test_a_short_answer_comes_with_the_command() -> None:
    answer = run(ssm_script.wrapped("echo out; echo err >&2; exit 4", "n"))
    code, out, err, folder, content = ssm_script.parse_answer(answer)
    assert (code, out, err, content) == (4, 4, 4, b"out\nerr\n")
    assert not Path(folder).exists()


def test_a_long_answer_waits_on_the_host(tmp_path: Path) -> None:
    size = ssm_script.ANSWER_BYTES + 1
    answer = run(ssm_script.wrapped(f"head -c {size} /dev/zero", "n"))
    code, out, err, folder, content = ssm_script.parse_answer(answer)
    assert (code, out, err, content) == (0, size, 0, None)
    part = run(ssm_script.part_of(f"{folder}/out", size - 5, 100))
    assert ssm_script.decoded(part) == bytes(5)
    run(f"rm -rf {folder}")


def test_a_script_cannot_end_its_wrapping() -> None:
    answer = run(ssm_script.wrapped("cat <<'end'\nend-\nend\necho 'end-n2'", "n"))
    assert ssm_script.parse_answer(answer)[4] == b"end-\nend-n2\n"


@pytest.mark.parametrize("size", [0, 1, ssm_script.COMMAND_BYTES, ssm_script.COMMAND_BYTES + 1])
def test_a_file_in_pieces(tmp_path: Path, size: int) -> None:
    content, temporary, path = os.urandom(size), tmp_path / "new" / "x.part", tmp_path / "new" / "x"
    pieces = list(ssm_script.appended(str(temporary), str(temporary.parent), content))
    assert max(map(len, pieces)) < 97_000
    for piece in pieces:
        run(piece)
    run(ssm_script.placed(str(temporary), str(path), 0o640, size))
    assert path.read_bytes() == content
    assert path.stat().st_mode & 0o777 == 0o640
    assert not temporary.exists()
    assert run(ssm_script.size_of(str(path))).strip() == str(size)


def test_a_file_that_is_not_whole_is_not_put_in_place(tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(b"12")
    with pytest.raises(subprocess.CalledProcessError):
        run(ssm_script.placed(str(tmp_path / "part"), str(tmp_path / "x"), 0o600, 3))
    assert not (tmp_path / "x").exists()


def test_an_answer_stays_below_what_ssm_cuts() -> None:
    assert len(base64.encodebytes(os.urandom(ssm_script.ANSWER_BYTES))) + 200 < 24_000


def test_answers_that_were_cut_are_seen() -> None:
    whole = run(ssm_script.wrapped("seq 1 1000", "n"))
    with pytest.raises(ValueError, match=r"came back|base64"):
        ssm_script.parse_answer(whole[:-100])
    with pytest.raises(ValueError, match=r"unpack|invalid"):
        ssm_script.parse_answer("no such file\n")
