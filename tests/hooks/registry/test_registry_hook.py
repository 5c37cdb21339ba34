"""The client of schema registries, against a double of Confluent's; ``registry_double.py`` says what it follows."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from kafka_ferry.core.schemas import Reference, Schema
from kafka_ferry.exceptions import BadConnection, NotAuthorized
from kafka_ferry.hooks.registry.hook import (
    RegistryError,
    RegistryHook,
    RegistryNotFound,
    RegistryRefused,
    RegistryUnavailable,
)
from registry_double import RegistryDouble, serving

ORDER = Schema('{"type":"record","name":"Order","fields":[]}')


@pytest.fixture
def registry() -> Iterator[RegistryDouble]:
    with serving(RegistryDouble()) as registry:
        yield registry


@pytest.fixture
def hook(registry: RegistryDouble, monkeypatch: pytest.MonkeyPatch) -> RegistryHook:
    return connected(monkeypatch, host=registry.url)


def connected(monkeypatch: pytest.MonkeyPatch, patience: float = 2.0, **fields: Any) -> RegistryHook:
    monkeypatch.setenv("AIRFLOW_CONN_REGISTRY", json.dumps({"conn_type": "http", **fields}))
    return RegistryHook("registry", patience=patience)


def test_what_was_registered_is_read(hook: RegistryHook) -> None:
    number = hook.register("a/b-value", ORDER)
    top = Schema('"Order"', references=(Reference("Order", "a/b-value", 1),))
    hook.register(":.eu:top", Schema("{}", "JSON"))
    hook.register("top", top)

    assert hook.subjects() == ["a/b-value", ":.eu:top", "top"]
    assert hook.versions("a/b-value") == [1]
    assert hook.version("a/b-value", 1) == ("a/b-value", 1, number, ORDER, False)
    assert hook.version("top", 1).schema == top
    assert hook.version(":.eu:top", 1).schema.type == "JSON"
    assert hook.by_id(number) == ORDER
    assert hook.by_id(number, ":.eu:x") == Schema("{}", "JSON")
    assert hook.by_id(99) is None
    assert hook.versions("none") == []


def test_deleted_versions_are_read_where_they_are_asked_for(hook: RegistryHook) -> None:
    number = hook.register("a", ORDER)
    hook.delete_version("a", 1)

    assert (hook.subjects(), hook.versions("a")) == ([], [])
    assert (hook.subjects(deleted=True), hook.versions("a", deleted=True)) == (["a"], [1])
    assert hook.version("a", 1, deleted=True).id == number
    assert hook.by_id(number) == ORDER


def test_settings_of_a_subject_and_of_all(hook: RegistryHook) -> None:
    assert (hook.compatibility("a"), hook.compatibility(), hook.mode("a"), hook.mode()) == (
        None, "BACKWARD", None, "READWRITE",
    )  # fmt: skip
    hook.set_compatibility("a", "FULL")
    hook.set_mode("a", "READONLY")
    assert (hook.compatibility("a"), hook.mode("a")) == ("FULL", "READONLY")
    for _ in range(2):  # what is not there any more is gone
        hook.set_compatibility("a", None)
        hook.set_mode("a", None)
    assert (hook.compatibility("a"), hook.mode("a")) == (None, None)


def test_import_mode_keeps_ids_versions_and_what_was_deleted(hook: RegistryHook, registry: RegistryDouble) -> None:
    hook.register("a", ORDER)
    hook.delete_version("a", 1)
    hook.set_mode("a", "IMPORT")
    assert hook.register("a", Schema('"int"'), 4711, 3) == 4711

    assert registry.subjects["a"][3].id == 4711
    assert registry.subjects["a"][1].deleted


def test_a_registry_without_modes_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(RegistryDouble(modes=False)) as registry:
        hook = connected(monkeypatch, host=registry.url)
        assert hook.mode() is None
        with pytest.raises(RegistryNotFound):
            hook.set_mode("a", "IMPORT")


def test_refusals_have_the_registrys_words(hook: RegistryHook) -> None:
    hook.register("a", ORDER)
    with pytest.raises(RegistryRefused, match=r"409: Schema being registered is incompatible") as incompatible:
        hook.register("a", Schema('"int"'))
    assert incompatible.value.status == 409
    with pytest.raises(RegistryRefused, match=r"422 \(42205\): Subject a is not in import mode"):
        hook.register("a", ORDER, 7)
    with pytest.raises(RegistryRefused, match="No schema reference found"):
        hook.register("b", Schema('"X"', references=(Reference("X", "none", 1),)))
    again = pickle.loads(pickle.dumps(incompatible.value))  # noqa: S301
    assert (str(again), again.status) == (str(incompatible.value), 409)


def test_what_is_busy_is_asked_again(hook: RegistryHook, registry: RegistryDouble) -> None:
    hook.rest.first_wait = 0.01
    registry.faults = {"POST /subjects/a": 2}
    assert hook.register("a", ORDER) == 1
    assert len([one for one in registry.requests if one.startswith("POST")]) == 3


def test_what_stays_busy_is_told_as_worth_another_try(hook: RegistryHook, registry: RegistryDouble) -> None:
    hook.rest.first_wait, hook.rest.patience, registry.faults = 0.01, 0.1, {"GET /subjects": -1}
    with pytest.raises(RegistryUnavailable, match=r"503 \(50301\): not now") as error:
        hook.subjects()
    assert error.value.retriable


def test_nobody_there_is_told_with_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    hook = connected(monkeypatch, 0.1, host="127.0.0.1", port=1)
    with pytest.raises(RegistryUnavailable, match=r"no answer: http://127\.0\.0\.1:1.*Fix: see that a registry runs"):
        hook.subjects()


@pytest.mark.parametrize(
    ("double", "fields"),
    [
        (RegistryDouble(login=("ferry", "s3cret-word")), {"login": "ferry", "password": "s3cret-word"}),
        (RegistryDouble(token="s3cret-word"), {"password": "s3cret-word", "extra": {"auth": "bearer"}}),
    ],
)
def test_logins(double: RegistryDouble, fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(double):
        assert connected(monkeypatch, host=double.url, **fields).subjects() == []
        with pytest.raises(NotAuthorized, match=r"401: Unauthorized\. Fix: login and password") as error:
            connected(monkeypatch, host=double.url, **fields | {"password": "wr0ng-word"}).subjects()
    assert "word" not in str(error.value).replace("password", "")


def test_no_secret_is_told_where_the_registry_repeats_it(monkeypatch: pytest.MonkeyPatch) -> None:
    double = RegistryDouble(faults={"GET /subjects": -1}, fault="the key hush-hush of s3cret-word is no good")
    with serving(double):
        headers = {"headers": {"X-Key": "hush-hush"}}
        hook = connected(monkeypatch, 0.05, host=double.url, login="a", password="s3cret-word", extra=headers)
        with pytest.raises(RegistryUnavailable, match=r"the key .* is no good") as error:
            hook.subjects()
    assert "hush" not in str(error.value)
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"<html>", "did not answer in JSON"),
        (b"[" * 100_000, "did not answer in JSON"),
        (b"{}", "answers otherwise than the Confluent API"),
        (b"null", "answers otherwise than the Confluent API"),
        (b'[{"a": 1}]', "answers otherwise than the Confluent API"),
        (b'["' + b"x" * 200 + b'"]', "more than 0 MB"),
    ],
)
def test_odd_answers(hook: RegistryHook, registry: RegistryDouble, raw: bytes, told: str) -> None:
    registry.raw, hook.rest.largest = {"/subjects": raw}, 100 if b"xx" in raw else 10**6
    with pytest.raises(RegistryError, match=told) as error:
        hook.subjects()
    assert len(str(error.value)) < 1000


@pytest.mark.parametrize(
    "raw", [b"{}", b'{"schema": 1, "id": 1}', b'{"schema": "x"}', b'{"schema": "x", "id": 1, "references": [{}]}']
)
def test_odd_versions(hook: RegistryHook, registry: RegistryDouble, raw: bytes) -> None:
    registry.raw = {"/subjects/a/versions/1": raw}
    with pytest.raises(RegistryError, match="answers otherwise"):
        hook.version("a", 1)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "has no host"),
        ({"conn_type": "aws", "host": "x"}, "leads to AWS Glue. Fix: here one of type http"),
        ({"host": "ftp://x"}, "has an address that is none"),
        ({"host": "http://user:pw@x"}, "has an address that is none"),
        ({"host": "x", "extra": {"auth": "digest"}}, "has auth 'digest'. Fix: basic or bearer"),
        ({"host": "x", "extra": {"auth": "bearer"}}, "has no token"),
        ({"host": "x", "extra": {"headers": ["a"]}}, "has headers that are no mapping"),
        ({"host": "x", "extra": {"timeout": "soon"}}, "has a timeout that is none"),
    ],
)
def test_connections_that_cannot_work(fields: dict[str, Any], told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadConnection, match=told) as error:
        _ = connected(monkeypatch, **fields).rest
    assert "pw" not in str(error.value)


def test_a_connection_that_there_is_not() -> None:
    with pytest.raises(BadConnection, match=r"'no_registry' does not exist\. Fix: create it, of type http"):
        _ = RegistryHook("no_registry").rest


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"host": "r", "port": 8081}, "http://r:8081"),
        ({"host": "r", "schema": "https"}, "https://r"),
        ({"host": "https://r/apis/ccompat/v7/"}, "https://r/apis/ccompat/v7"),
        ({"host": "http://r/apis", "port": 8080}, "http://r:8080/apis"),
        ({"host": "http://r:1/apis", "port": 1}, "http://r:1/apis"),
    ],
)
def test_addresses(fields: dict[str, Any], url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert connected(monkeypatch, **fields).url == url
