"""Where a replication resumes, on a source that holds its readers back by a quota."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from dag_runs import ReadQuota, fill
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.live.resume import resume_of
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec
from stack import Stack

pytestmark = pytest.mark.integration

RECORDS, THERE = 100_000, 8_000


@pytest.fixture
def slow(stack: Stack) -> Iterator[None]:
    quota = ReadQuota(stack)
    quota(100_000)
    yield
    quota(0)


def test_it_is_found_at_once_under_a_quota(
    stack: Stack, connections: None, topic_prefix: str, request: pytest.FixtureRequest
) -> None:
    """By fetches as large as others are it took 39 s, of which an engine that has died stands still."""
    topic = f"{topic_prefix}orders"
    fill(stack.source_bootstrap, topic, RECORDS)
    fill(stack.target_bootstrap, topic, 2 * THERE)
    migration = Migration("mirror_maker2_on_connect", MigrationSpec.from_params({"topics": [topic], "groups": []}))
    request.getfixturevalue("slow")

    begun = time.monotonic()
    for _ in range(3):  # the first ten seconds' worth of a quota come at once
        assert resume_of(migration, migration.target_topics()) == {(topic, 0): THERE, (topic, 1): THERE}
    assert time.monotonic() - begun < 5
