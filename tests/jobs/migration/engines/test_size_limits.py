"""What each engine checks a record against before it sends it, with what params set of its producer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kafka_ferry.jobs.migration.engines.engine import Engine
from kafka_ferry.jobs.migration.engines.registry import engine_kind

NEAR, FAR = "arn:aws:kafka:eu-west-1:1:cluster/a/b", "arn:aws:kafka:us-east-1:1:cluster/a/b"


def engine(kind: str, **spec: Any) -> Engine:
    """With nothing but what its limits need."""
    made: Any = object.__new__(engine_kind(kind))
    topics = {"t": SimpleNamespace(effective={"max.message.bytes": "60000000"}), "u": SimpleNamespace(effective={})}
    about = SimpleNamespace(throughput=SimpleNamespace(value="lan"), alias="source", overrides={}, **{
        "worker_properties": {}, **spec})  # fmt: skip
    made.migration = SimpleNamespace(spec=about, topics=SimpleNamespace(topics=topics))
    if kind.startswith("mirror_maker") and "on_" not in kind:
        made.spec = about
    return made  # type: ignore[no-any-return]


def limits(made: Engine) -> dict[str, int]:
    return {one.key.partition(" of ")[0]: one.bytes for one in made.size_limits()}


@pytest.mark.parametrize(
    "kind",
    ["mirror_maker2_on_connect", "mirror_maker2_on_msk_connect", "mirror_maker2_dedicated", "mirror_maker1"],
)
def test_what_we_set(kind: str) -> None:
    made = engine(kind)
    assert limits(made) == {"max.request.size": 2**31 - 1, "buffer.memory": 120_000_000}
    assert made.codec == "lz4"
    assert all(one.before for one in made.size_limits())


@pytest.mark.parametrize(
    ("kind", "param", "prefix"),
    [
        ("mirror_maker2_on_msk_connect", "worker_properties", "producer."),
        ("mirror_maker2_dedicated", "overrides", "producer.override."),
        ("mirror_maker2_dedicated", "overrides", "source->target.producer.override."),
        ("mirror_maker1", "overrides", "producer."),
    ],
)
def test_what_params_set_counts(kind: str, param: str, prefix: str) -> None:
    own = {f"{prefix}max.request.size": "1048576", f"{prefix}compression.type": "gzip", "consumer.buffer.memory": "1"}
    spec = SimpleNamespace(**{param: own})
    made: Any = engine(kind)
    setattr(made.migration.spec, param, spec.__dict__[param])
    assert limits(made) == {"max.request.size": 1048576, "buffer.memory": 120_000_000}
    assert made.codec == "gzip"


@pytest.mark.parametrize(("source", "most"), [(NEAR, 20), (FAR, 10)])
def test_of_msk_replicator_only_its_quota_is_known(source: str, most: int) -> None:
    made = engine("msk_replicator", source_cluster_arn=source, cluster_arn=NEAR, compression="NONE")
    (limit,) = made.size_limits()
    assert (limit.bytes, limit.sure, made.codec) == (most * 1024 * 1024, False, "none")
