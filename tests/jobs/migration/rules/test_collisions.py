"""Names that Kafka takes for one, told before anything is made."""

from __future__ import annotations

from kafka_ferry.core.finding import Severity
from kafka_ferry.core.name_collisions import collisions
from kafka_ferry.jobs.migration.rules.collisions import collision_findings
from kafka_ferry.jobs.migration.rules.spec import MigrationSpec


def test_new_topics_collide_with_those_there_and_with_each_other() -> None:
    assert collisions(["a.b"], ["a_b"]) == {"a.b": "a_b"}
    assert collisions(["a_b.c"], ["a.b_c", "x"]) == {"a_b.c": "a.b_c"}
    assert collisions(["a.b", "a_b"], []) == {"a_b": "a.b"}
    assert collisions(["ab", "a-b", "A.b", "a.b"], ["a.bc"]) == {}


def test_what_is_there_already_is_not_made() -> None:
    assert collisions(["a.b", "a_b"], ["a_b", "a.b"]) == {}
    assert collisions(["a.b"], ["a.b"]) == {}


def test_a_migration_is_refused_by_name() -> None:
    spec = MigrationSpec.from_params({"topics": ["a.b"], "naming": "rename", "topic_rename_format": "eu.${topic}"})
    (found,) = collision_findings(spec, {"a.b": "eu.a.b"}, [], ["eu_a_b"])
    assert (found.severity, found.param) == (Severity.REFUSE, "topic_rename_format")
    assert found.subject == "topic a.b (on the target eu.a.b)"
    assert "'eu_a_b' exists on the target" in found.what
    assert "delete 'eu_a_b', if nobody uses it" in found.fix
    (found,) = collision_findings(spec, {"a.b": "eu.a.b", "a_b": "eu.a_b"}, [], [])
    assert "'eu.a.b' would be created too" in found.what
    assert "delete" not in found.fix


def test_topics_of_our_own_are_looked_at_too() -> None:
    spec = MigrationSpec.from_params({"topics": ["a"]})
    (found,) = collision_findings(spec, {"a": "a"}, ["mm2-offset-syncs.x.internal"], ["mm2-offset-syncs_x.internal"])
    assert (found.severity, found.param) == (Severity.REFUSE, "migration")
    assert "source_alias" in found.fix
