from __future__ import annotations

import subprocess

import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.hosts.shell import (
    SHELL,
    checked_file,
    checked_folder,
    checked_variable,
    checked_word,
    parent,
    shell_path,
)


def sh(command: str, given: str = "") -> str:
    done = subprocess.run(["/bin/sh", "-c", command], input=given, capture_output=True, text=True, check=False)
    return done.stdout


@pytest.mark.parametrize("path", ["/a b/it's", "/$HOME/`id`", '/"x"/*'])
def test_a_path_reaches_the_shell_as_it_is(path: str) -> None:
    assert sh(f"printf %s {shell_path(path)}") == path


def test_home_is_the_shells() -> None:
    assert sh(f"HOME='/h o'; printf %s {shell_path('~/a b')}") == "/h o/a b"
    assert sh(f"HOME='/h o'; printf %s {shell_path('~')}") == "/h o"
    assert shell_path("/a/~/b") == "'/a/~/b'"


def test_a_script_from_standard_input_leaves_none_to_its_commands() -> None:
    assert sh(SHELL, "echo one\ncat\necho 'it''s'\nexit 3\necho never") == "one\nits\n"


def test_the_folder_above() -> None:
    assert [parent(path) for path in ("/a/b", "/a", "~/b")] == ["/a", "/", "~"]


@pytest.mark.parametrize("folder", ["/srv/ferry", "/srv/ferry/", "~/ferry", "~/a/b c"])
def test_folders_of_their_own(folder: str) -> None:
    assert checked_folder(folder) == folder.rstrip("/")


@pytest.mark.parametrize(
    "folder", ["", "/", "/srv", "~", "~/", "srv/x", "/srv//x", "/srv/../x", "/srv/./x", "/srv/x\ny"]
)
def test_folders_that_would_not_be_ours_to_delete(folder: str) -> None:
    with pytest.raises(BadParam, match="'folder'"):
        checked_folder(folder)


def test_names() -> None:
    assert checked_file("conf/worker-1.properties") == "conf/worker-1.properties"
    for name in ("", "/etc/x", "../x", "a/../x", "a b", ".x", "a/", "ferry.pid", "-x"):
        with pytest.raises(ValueError, match="file name"):
            checked_file(name)
    assert checked_variable("KAFKA_OPTS") == "KAFKA_OPTS"
    for name in ("", "1X", "A-B", "A=B", "A;B"):
        with pytest.raises(ValueError, match="environment variable"):
            checked_variable(name)
    for word in ("", "a\nb", "a\0b"):
        with pytest.raises(ValueError, match="one line"):
            checked_word("marker", word)
