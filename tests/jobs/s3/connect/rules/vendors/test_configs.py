"""Configs of others' S3 connectors: keys that these know, what keeps records, and what is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.objects.store import StoredObject
from kafka_ferry.jobs.s3.connect.rules.intent import BYTES, Flush, Intent
from kafka_ferry.jobs.s3.connect.rules.vendors.registry import VENDORS
from kafka_ferry.jobs.s3.connect.rules.vendors.vendor import PARTS, Way
from kafka_ferry.jobs.s3.files.rules.names import NamedFile, namer_of

KEYS = Path(__file__).resolve().parents[5] / "shared" / "vendor_keys"
#: Kafka Connect's own settings of a connector.
CONNECTS = re.compile(
    r"connector\.class|tasks\.max|topics|(key|value|header)\.converter(\.schemas\.enable)?|errors\.tolerance"
    r"|transforms(\..+)?|predicates(\..+)?|(consumer|admin)\.override\..+"
)
WAYS: tuple[Way, Way] = ("sink", "source")


def intent(way: Way, **more: Any) -> Intent:
    base = Intent(
        way=way,
        topics=("orders", "pay.ments"),
        bucket="our-bucket",
        prefix="copies",
        export="daily",
        region="eu-central-1",
        endpoint="http://store:9000",
        path_style=True,
        key_id="${file:/k:id}",
        secret="${file:/k:secret}",
        tasks=3,
        flush=Flush(records=1000, bytes=5_000_000, seconds=30),
        poll_seconds=10,
        cluster={"bootstrap.servers": "source:9092", "security.protocol": "SSL"},
        other_cluster=way == "sink",
    )
    return replace(base, **more)


def fitting(maker: str, way: Way, **more: Any) -> Intent:
    """What it can do at all."""
    if maker == "camel":
        more = {"format": "bytes", "topics": ("orders",), "prefix": "" if way == "sink" else "copies"} | more
    return intent(way, **more)


def config(maker: str, way: Way, accepted: tuple[str, ...] = ("objects",), **more: Any) -> dict[str, str]:
    return VENDORS[maker].config(fitting(maker, way, **more), accepted)


def known(cls: str) -> set[str]:
    lines = (KEYS / f"{cls}.txt").read_text().splitlines()
    return {line for line in lines if not line.startswith("#")}


EVERY = [
    (maker, way, kind) for maker, way in product(VENDORS, WAYS) for kind in VENDORS[maker].formats[way]
]  # fmt: skip


@pytest.mark.parametrize(("maker", "way", "kind"), EVERY)
@pytest.mark.parametrize("accepted", [("objects",), tuple(PARTS)])
def test_each_key_is_one_that_the_connector_defines_or_kafka_connects_own(
    maker: str, way: Way, kind: Any, accepted: tuple[str, ...]
) -> None:
    made = config(maker, way, accepted, format=kind, renames={"orders": "new"} if way == "source" else {})
    own = {key for key in made if not CONNECTS.fullmatch(key)}
    defined = known(VENDORS[maker].classes[way])
    assert {key for key in own if not key.startswith("confluent.topic.")} <= defined
    assert set(re.findall(r"'([a-z.]+)'=", made.get("connect.s3.kcql", ""))) <= defined
    assert all(made.values())


@pytest.mark.parametrize(("maker", "way", "kind"), EVERY)
def test_an_error_fails_the_task_and_no_record_goes_elsewhere(maker: str, way: Way, kind: Any) -> None:
    made = config(maker, way, format=kind)
    assert made["errors.tolerance"] == "none"
    assert not any("deadletterqueue" in key or "errors.log" in key for key in made)
    assert made["connector.class"] == VENDORS[maker].classes[way]
    assert made["tasks.max"] == ("1" if (maker, way) == ("camel", "source") else "3")


@pytest.mark.parametrize(("maker", "way", "kind"), EVERY)
def test_converters_keep_bytes_unless_the_plan_says_that_bytes_are_lost(maker: str, way: Way, kind: Any) -> None:
    made = config(maker, way, format=kind)
    said = {made[f"{what}.converter"] for what in ("key", "value", "header")}
    assert said == {BYTES} or "bytes" in VENDORS[maker].lost(way, kind, ())


@pytest.mark.parametrize("maker", VENDORS)
def test_a_sink_reads_the_other_cluster_and_only_what_was_committed(maker: str) -> None:
    made = config(maker, "sink")
    assert made["consumer.override.isolation.level"] == "read_committed"
    for client in ("consumer", "admin"):
        assert made[f"{client}.override.bootstrap.servers"] == "source:9092"
        assert made[f"{client}.override.security.protocol"] == "SSL"
    near = config(maker, "sink", other_cluster=False, read_committed=False)
    assert near["consumer.override.isolation.level"] == "read_uncommitted"
    assert not any("bootstrap" in key for key in near)


@pytest.mark.parametrize(("maker", "way"), list(product(VENDORS, WAYS)))
def test_credentials_are_references_or_the_workers_own(maker: str, way: Way) -> None:
    assert {"${file:/k:id}", "${file:/k:secret}"} <= set(config(maker, way).values())
    own = config(maker, way, key_id="", secret="")
    assert not any("${file" in value for value in own.values())
    if maker == "lenses":
        assert own["connect.s3.aws.auth.mode"] == "Default"
    if maker == "camel":
        assert own[f"camel.kamelet.aws-s3-{way}.useDefaultCredentialsProvider"] == "true"


@pytest.mark.parametrize(
    ("maker", "kind", "key"),
    [
        ("confluent", "avro", "copies/daily/pay.ments/partition=3/pay.ments+3+0000000120.avro"),
        ("confluent", "jsonl", "copies/daily/pay.ments/partition=3/pay.ments+3+0000000120.json.gz"),
        ("lenses", "parquet", "copies/daily/pay.ments/3/000000000120_1_2.parquet"),
        ("aiven", "jsonl", "pay.ments/0000000003-00000000000000000120.jsonl.gz"),
        ("aiven", "avro", "pay.ments/0000000003-00000000000000000120.avro"),
    ],
)
def test_what_a_sink_writes_is_told_by_its_names(maker: str, kind: Any, key: str) -> None:
    """Names as the connectors make them: Confluent's ``TopicPartitionWriter``, Lenses' ``FileNamer``."""
    formats = VENDORS[maker].files(kind)
    assert formats is not None
    found = namer_of(formats).read(StoredObject(key, 7, 5))
    assert isinstance(found, NamedFile)
    assert (found.topic, found.partition, found.offset) == ("pay.ments", 3, 120)


def test_aivens_template_is_the_names_that_we_read_below_the_folder() -> None:
    template = config("aiven", "sink", format="jsonl")["file.name.template"]
    assert template.startswith("copies/daily/{{topic}}/")
    assert "aws.s3.prefix" not in config("aiven", "sink", format="jsonl")  # it would switch the template off
    source = config("aiven", "source", format="jsonl")
    pattern = source["file.name.template"]
    for name, group in (("topic", "[a-zA-Z0-9\\-_.]+"), ("partition", "\\d+"), ("start_offset", "\\d+")):
        pattern = pattern.replace(f"{{{{{name}}}}}", f"({group})")
    found = re.search(pattern, "copies/daily/pay.ments/0000000003-00000000000000000120.jsonl.gz")
    assert found is not None
    assert found.groups() == ("pay.ments", "0000000003", "00000000000000000120")
    assert source["aws.s3.prefix"] == "copies/daily/"


def test_lenses_says_each_topic_in_a_statement_of_its_own() -> None:
    sink = config("lenses", "sink", format="avro")["connect.s3.kcql"].split(";")
    assert sink[1] == (
        "INSERT INTO `our-bucket:copies/daily` SELECT * FROM `pay.ments` STOREAS `AVRO` PROPERTIES("
        "'flush.interval'=30,'flush.count'=1000,'flush.size'=5000000,'store.envelope'=true)"
    )
    source = config("lenses", "source", format="avro", renames={"orders": "new"})["connect.s3.kcql"].split(";")
    assert source[0] == (
        "INSERT INTO `new` SELECT * FROM `our-bucket:copies/daily/orders/` STOREAS `AVRO` "
        "PROPERTIES('store.envelope'=true)"
    )
    assert "'flush.count'=1," in config("lenses", "sink", format="bytes")["connect.s3.kcql"].split(";")[0]


def test_what_is_accepted_as_lost_is_not_stored_so_that_it_stops_no_task() -> None:
    kept = config("confluent", "sink")
    assert (kept["store.kafka.keys"], kept["store.kafka.headers"]) == ("true", "true")
    assert kept["behavior.on.null.values"] == "fail"
    left_out = config("confluent", "sink", ("keys", "headers", "tombstones"))
    assert (left_out["store.kafka.keys"], left_out["store.kafka.headers"]) == ("false", "false")
    assert left_out["behavior.on.null.values"] == "ignore"
    assert "headers" not in config("aiven", "sink", format="avro")["format.output.fields"]
    assert "headers" in config("aiven", "sink", format="jsonl")["format.output.fields"]
    assert "RecordIsTombstone" in str(config("camel", "sink", ("tombstones",)))
    assert "predicates" not in config("camel", "sink", ())


def test_records_headers_are_no_commands_to_camel() -> None:
    for way in WAYS:
        made = config("camel", way)
        assert (made["camel.map.headers"], made["camel.map.properties"]) == ("false", "false")


def test_camels_source_deletes_only_what_it_was_told_to_delete() -> None:
    key = "camel.kamelet.aws-s3-source.deleteAfterRead"
    assert config("camel", "source", ("objects",))[key] == "true"
    assert config("camel", "source", ("repeats",))[key] == "false"
    assert config("camel", "source", ("objects", "repeats"))[key] == "true"
    with pytest.raises(BadParam, match=r"'accept_losses'.*deletes each one.*Fix: objects .* or repeats"):
        config("camel", "source", ("keys", "headers", "timestamps"))


def refused(maker: str, way: Way, **more: Any) -> BadParam:
    with pytest.raises(BadParam) as found:
        config(maker, way, **more)
    return found.value


@pytest.mark.parametrize(
    ("maker", "way", "more", "param", "said"),
    [
        ("confluent", "sink", {"format": "parquet"}, "format", "one of avro, jsonl, bytes"),
        ("confluent", "sink", {"region": ""}, "aws_conn_id", "us-west-2"),
        ("confluent", "source", {"cluster": {}}, "target_conn_id", "licence"),
        ("confluent", "source", {"renames": {"a": "b", "b": "a"}}, "rename", "circle"),
        ("aiven", "sink", {"format": "bytes"}, "format", "one of jsonl, avro, parquet"),
        ("aiven", "source", {"format": "bytes"}, "format", "one of avro, parquet, jsonl"),
        ("aiven", "sink", {"region": ""}, "aws_conn_id", "us-east-1"),
        ("aiven", "sink", {"path_style": False}, "aws_conn_id", "addressing_style"),
        ("aiven", "sink", {"kms_key": "arn:aws:kms:k"}, "aws_conn_id", "default encryption"),
        ("lenses", "source", {"format": "bytes"}, "format", "one of avro, parquet, jsonl"),
        ("lenses", "sink", {"encryption": "AES256"}, "aws_conn_id", "default encryption"),
        ("lenses", "sink", {"prefix": "a;b"}, "location", "KCQL cannot name"),
        ("lenses", "sink", {"prefix": "a`b"}, "location", "KCQL cannot name"),
        ("lenses", "source", {"prefix": "a:b"}, "location", "KCQL cannot name"),
        ("camel", "sink", {"format": "avro"}, "format", "one of bytes"),
        ("camel", "sink", {"prefix": "copies"}, "location", "s3://our-bucket"),
        ("camel", "sink", {"region": ""}, "aws_conn_id", "region"),
        ("camel", "sink", {"encryption": "aws:kms"}, "aws_conn_id", "default encryption"),
        ("camel", "source", {"topics": ("a", "b")}, "topics", "one topic"),
        ("camel", "source", {"topics": ()}, "topics", "one topic"),
    ],
)
def test_what_a_connector_cannot_do_is_refused_with_a_param_and_a_cure(
    maker: str, way: Way, more: dict[str, Any], param: str, said: str
) -> None:
    error = refused(maker, way, **more)
    assert error.param == param
    assert said in str(error)
    assert "Fix: " in str(error)


def test_an_endpoint_that_is_not_given_is_not_set() -> None:
    for maker, way in product(VENDORS, WAYS):
        made = config(maker, way, endpoint="", path_style=None)
        assert "http://store:9000" not in made.values()
        assert not any("path" in key.lower() and "style" in key.lower() for key in made)
        assert "camel.kamelet.aws-s3-sink.overrideEndpoint" not in made
