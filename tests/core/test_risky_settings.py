"""Settings and options that could load code, open files or call other servers are for the deployment to allow."""

from __future__ import annotations

import pytest

from kafka_ferry.core.jvm_options import not_harmless
from kafka_ferry.core.risky_settings import first_risky

RISKY = {
    "sasl.jaas.config": "com.sun.security.auth.module.JndiLoginModule required;",
    "source.sasl.jaas.config": "x",
    "producer.override.sasl.jaas.config": "x",
    "sasl.oauthbearer.token.endpoint.url": "x",
    "ssl.engine.factory.class": "x",
    "ssl.keystore.location": "x",
    "plugin.path": "x",
    "plugin.library.paths": "x",
    "ssl.engine.location": "x",
    "interceptor.classes": "x",
    "metric.reporters": "x",
    "config.providers": "file",
    "key.converter": "x",
    "header.converter": "x",
    "config.providers.file.class": "x",
    "replication.policy.class": "x",
    "topic.filter.class": "x",
    "bootstrap.servers": "x",
    "source.bootstrap.servers": "x",
    "partition.assignment.strategy": "x",
    "partitioner.class": "x",
    "listeners": "x",
    "connector.client.config.override.policy": "x",
    "rest.extension.classes": "x",
    "offset.storage.file.filename": "x",
    "driver.queryInterceptors": "x",
    "driver.allowLoadLocalInfile": "true",
    "schema.history.internal": "x.FileSchemaHistory",
    "schema.history.internal.file.filename": "x",
    "transforms.a.type": "x",
    "predicates": "x",
    "converters": "x",
    "database.ssl.keystore": "x",
    "security.providers": "x",
    "consumer.value.deserializer": "x",
    "a->b.sasl.mechanism": "x",
    "innocent": "${file:/etc/passwd:root}",
    "innocent2": "${env:AWS_SECRET}",
    "innocent3": "/etc/passwd",
    "innocent4": "http://evil/x",
    "innocent5": "com.evil.Gadget",
    "innocent6": "a,com.evil.Gadget",
    "innocent7": "../x",
    "innocent8": "~/x",
    "zookeeper.connect": "x",
}
TUNING = {
    "producer.linger.ms": "10",
    "producer.batch.size": "10000",
    "refresh.topics.interval.seconds": "60",
    "offset.lag.max": "0",
    "target.offset.flush.interval.ms": "1000",
    "source->target.tasks.max": "4",
    "producer.override.compression.type": "zstd",
    "consumer.max.poll.records": "100",
    "consumer.fetch.max.bytes": "1",
    "max.batch.size": "2048",
    "sync.topic.acls.enabled": "false",
    "column.mask.with.12.chars": "a.b.c",
    "message.key.columns": "a.b:c;d.e:f",
    "snapshot.locking.mode": "none",
    "heartbeat.interval.ms": "5",
    "topic.creation.default.cleanup.policy": "compact",
    "connect.timeout.ms": "5",
    "schema.history.internal": "io.debezium.storage.kafka.history.KafkaSchemaHistory",
    "column.exclude.list": "shop.users.mail",
}


@pytest.mark.parametrize("key", RISKY)
def test_what_is_risky(key: str) -> None:
    assert first_risky({"linger.ms": "1", key: RISKY[key]}) == (key, first_risky({key: RISKY[key]})[1])  # type: ignore[index]
    assert first_risky({key: RISKY[key]}, ["other", key]) is None


@pytest.mark.parametrize("key", TUNING)
def test_what_only_tunes(key: str) -> None:
    assert first_risky({key: TUNING[key]}) is None


@pytest.mark.parametrize(
    "option",
    [
        "-javaagent:/tmp/a.jar",
        "-agentpath:/tmp/a.so",
        "-agentlib:jdwp=transport=dt_socket",
        "-XX:OnOutOfMemoryError=sh",
        "-XX:OnError=sh",
        "-XX:Flags=/tmp/f",
        "-XX:VMOptionsFile=/tmp/f",
        "@/tmp/args",
        "-cp",
        "-classpath",
        "--class-path=/tmp",
        "-Djava.ext.dirs=/tmp",
        "-Djava.security.manager",
        "-Djava.system.class.loader=x",
        "-jar",
        "-m",
        "--module-path=/tmp",
        "-Xbootclasspath/a:/tmp/x.jar",
        "-XX:+HeapDumpOnOutOfMemoryError",
        "-XX:HeapDumpPath=/etc",
        "-XX:ErrorFile=/etc/x",
        "-XX:LogFile=/etc/x",
        "-Xlog:gc:/etc/x",
        "-Xloggc:/etc/x",
        "-XX:SharedArchiveFile=/tmp/x",
        "-XX:+StartFlightRecording",
        "-XX:StartFlightRecording=filename=/x",
        "-XX:+UnlockDiagnosticVMOptions",
        "-Dcom.sun.management.jmxremote.port=1",
        "-Dorg.apache.kafka.automatic.config.providers=x",
        "-Djdk.module.path=/x",
        "--patch-module=a=/tmp",
        "--add-opens=a=b",
        "-Dlog4j2.configurationFile=http://evil",
        "-Djava.naming.provider.url=x",
        "-Djdk.serialFilter=*",
        "-Xmx1g;id",
        "-Xmx1g -cp",
        "-Djava.library.path=/tmp",
        "-XX:+AllowUserSignalHandlers",
        "-Duser.home=/tmp",
        "-Xmx$(id)",
        "",
        "--source",
        "-XX:NativeMemoryTracking=summary",
        "-Xrunjdwp:x",
        "-Xshare:dump",
        "-disable-@files",
        "-Dfile.encoding=../../x",
    ],
)
def test_options_of_java_that_run_or_write(option: str) -> None:
    assert not_harmless(["-Xmx1g", option]) == option
    assert not_harmless(["-Xmx1g", option], [option]) is None


def test_options_of_java_that_size_and_tune() -> None:
    known = (
        "-Xms256m -Xmx1g -Xss512k -server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35"
    )
    known += (
        " -XX:+ExplicitGCInvokesConcurrent -XX:MaxInlineLevel=15 -Djava.awt.headless=true"  # kafka-run-class.sh's own
    )
    known += " -XX:MaxRAMPercentage=75.0 -XX:ActiveProcessorCount=2 -XX:TieredStopAtLevel=1"
    known += " -Djava.net.preferIPv4Stack=true"
    assert not_harmless(known.split()) is None
