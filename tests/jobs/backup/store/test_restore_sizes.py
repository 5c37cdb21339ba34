"""What a restore's plan says of sizes, by what its target answers; on real brokers it is in tests/integration."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from kafka_ferry.core.finding import Finding
from kafka_ferry.core.plan import RecordPlace
from kafka_ferry.core.retention import HELD_SIZE
from kafka_ferry.core.topics import TopicState
from kafka_ferry.exceptions import NotAuthorized
from kafka_ferry.jobs.backup.rules.manifest import LargestBatch, LargestRecord, PartitionBackup, Segment, TopicBackup
from kafka_ferry.jobs.backup.rules.restore_plan import RestoreTopic
from kafka_ferry.jobs.backup.store.holding import Holding
from kafka_ferry.jobs.backup.store.restore_sizes import largest_line, restore_findings

NOTED = {
    "largest_record": LargestRecord(offset=3, bytes=5000, packed=4000),
    "largest_batch": LargestBatch(offset=0, bytes=900),
}


def findings(
    noted: dict[str, Any] = NOTED, *, own: dict[str, str] | None = None, holding: Holding | None = None,
    broker: dict[str, str] | None = None, there: bool = True, point_in_time: int | None = None,
) -> tuple[list[str], list[Finding]]:  # fmt: skip
    """(severity and code of each, the findings). ``broker``: None: it may not be read."""
    segment = Segment(begin=0, end=9, records=9, key="k", min_timestamp=1, max_timestamp=50, **noted)
    part = PartitionBackup(partition=2, begin=0, end=9, segments=[segment])
    topic = TopicBackup(name="t", topic_id="id", replication_factor=1, configs=own or {}, partitions=[part])

    def brokers() -> tuple[dict[str, str], set[str]]:
        if broker is None:
            raise NotAuthorized("DESCRIBE_CONFIGS")
        return broker, set()

    configs = {"max.message.bytes": "1000000", **(own or {})}
    states = {"copy": TopicState("copy", "id", 3, 1, own or {}, configs)} if there else {}
    restore_run: Any = SimpleNamespace(
        admin=SimpleNamespace(topics=lambda _: states, brokers=brokers),
        topics=[RestoreTopic(topic, "copy", (part,))],
        point_in_time=point_in_time,
        configs=lambda topic: dict(topic.source.configs),
        holding=lambda existing: holding or Holding(),
        unsent=lambda existing: {("copy", 2): [segment]},
    )
    found, largest = restore_findings(restore_run)
    assert largest.keys() == {"copy"}
    return [f"{one.severity} {one.code}" for one in found], found


STAYS = Holding(sizes_stay={"copy": "a policy"})


def test_a_record_that_fits_is_no_finding() -> None:
    assert findings()[0] == []
    assert findings(own={"max.message.bytes": "5000"}, holding=STAYS)[0] == []


def test_a_limit_that_stays_is_told_by_its_reason() -> None:
    kinds, found = findings(own={"max.message.bytes": "3999"}, holding=STAYS)
    assert kinds == ["refuse largest_record"]
    assert "(partition 2, offset 3)" in found[0].what and "stays in force: a policy" in found[0].what
    assert findings(own={"max.message.bytes": "4000"}, holding=STAYS)[0] == ["warn largest_record"]
    # Of a segment that is cut nobody knows whether that record is sent.
    cut = findings(own={"max.message.bytes": "3999"}, holding=STAYS, point_in_time=10)
    assert cut[0] == ["warn largest_record"]


def test_a_limit_that_is_lifted_is_good_to_know() -> None:
    assert findings(own={"max.message.bytes": "4999"})[0] == ["advise largest_record"]
    assert findings(own={"max.message.bytes": HELD_SIZE})[0] == [], "lifted by an earlier try"
    large = {"segment.bytes": str(20_000_000)}
    over = {"largest_record": LargestRecord(offset=3, bytes=20_000_001, packed=20_000_001)}
    assert findings(over, own=large)[0] == ["refuse largest_record"], "segments of that size are not lifted"


def test_what_cannot_be_held_or_made_is_refused_beside_the_record() -> None:
    refused = Holding(refused={"copy": "no ALTER_CONFIGS"})
    kinds, found = findings(own={"max.message.bytes": "1"}, holding=refused)
    assert kinds == ["refuse hold", "refuse largest_record"]
    assert "cannot be held while records arrive: no ALTER_CONFIGS" in found[0].what
    assert "cannot be made: no ALTER_CONFIGS" in findings(holding=refused, there=False)[1][0].what


def test_a_topic_to_be_made_has_the_brokers_limit_where_it_has_none_of_its_own() -> None:
    broker = {"message.max.bytes": "3999"}
    assert findings(broker=broker, there=False, holding=STAYS)[0] == ["refuse largest_record"]
    assert findings(broker=broker, there=False)[0] == ["advise largest_record"]
    own = {"max.message.bytes": "5000"}
    assert findings(broker=broker, there=False, holding=STAYS, own=own)[0] == []


def test_what_brokers_take_in_one_request_and_a_producer_holds() -> None:
    assert findings(broker={"socket.request.max.bytes": "3999"})[0] == ["refuse largest_record"]
    assert findings(broker={"socket.request.max.bytes": "4000"})[0] == ["warn largest_record"]
    assert findings(broker={"socket.request.max.bytes": "5000"})[0] == []
    for size, kinds in ((2**27, []), (2**27 + 1, ["refuse largest_record"])):
        noted = {"largest_record": LargestRecord(offset=3, bytes=size, packed=70)}
        assert findings(noted, own={"max.message.bytes": HELD_SIZE})[0] == kinds


def test_a_backup_of_before_is_said_to_be_not_known() -> None:
    kinds, found = findings({}, own={"max.message.bytes": "1"}, holding=STAYS)
    assert kinds == ["advise largest_record"]
    assert "not known" in found[0].what and found[0].subject == "topic copy"


def test_the_line_of_the_plan_has_both() -> None:
    from kafka_ferry.jobs.backup.rules.largest import largest_of

    segment = Segment(begin=0, end=9, records=9, key="k", **NOTED)
    assert largest_line(largest_of({2: [segment]}, None)) == {
        "largest_record": RecordPlace(partition=2, offset=3, bytes=5000),
        "largest_batch": RecordPlace(partition=2, offset=0, bytes=900),
    }
    assert largest_line(largest_of({}, None)) == {"largest_record": None, "largest_batch": None}
