"""ACLs of a migration: made last, and not at all where another check failed."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from kafka_ferry.core.acls import Acl
from kafka_ferry.core.checks import Status
from kafka_ferry.core.quotas import Quota
from kafka_ferry.core.scram_users import ScramUser
from kafka_ferry.exceptions import BadParam, NotAuthorized
from kafka_ferry.jobs.migration.live import acls, planning
from kafka_ferry.jobs.migration.rules.around import Acls, AclScope

FROZEN = Acl("TOPIC", "t", "LITERAL", "User:*", "WRITE", "DENY")


class Cluster:
    """A cluster's ACLs and nothing else."""

    def __init__(self, conn_id: str, there: list[Acl]) -> None:
        self.conn_id, self.there, self.admin, self.extra = conn_id, there, self, {"sasl.username": "f"}

    def acls(self) -> list[Acl]:
        return list(self.there)

    def create_acls(self, wanted: Any) -> None:
        self.there += list(wanted)


@pytest.fixture
def migration() -> Any:
    return SimpleNamespace(
        spec=SimpleNamespace(
            acls=Acls.COPY,
            source_conn_id="s",
            target_conn_id="t",
            keep_replicating=False,
            principals={},
            acl_scope=AclScope.TOPICS,
            target_topic="new.{}".format,
            target_prefix="new.{}".format,
            cluster_arn=None,
            delete_acls_of=[],
        ),
        source=Cluster("s", [FROZEN]),
        target=Cluster("t", []),
        groups=SimpleNamespace(selection=SimpleNamespace(names=[])),
        topics=SimpleNamespace(targets=lambda _: {"t": "t"}),
    )


def test_a_deny_is_made_when_all_else_passed(migration: Any) -> None:
    check = acls.copied_acls_check(migration, {"t": "t"}, [{"name": "content", "status": "pass"}])
    assert (check.status, migration.target.there) == (Status.PASS, [FROZEN])


def test_an_acl_that_the_controller_took_and_the_broker_does_not_show_yet_is_waited_for(
    migration: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CreateAcls is answered by the controller, DescribeAcls from what a broker has read of the metadata log."""
    target = migration.target
    shown = iter([[], [], [FROZEN]])
    monkeypatch.setattr(target, "acls", lambda: next(shown))
    check = acls.copied_acls_check(migration, {"t": "t"}, [])
    assert (check.status, target.there) == (Status.PASS, [FROZEN])


def test_an_acl_that_never_shows_is_missing(migration: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acls, "_VISIBLE_SECONDS", 0.0)
    monkeypatch.setattr(migration.target, "create_acls", lambda _: None)
    assert acls.copied_acls_check(migration, {"t": "t"}, []).status is Status.FAIL


def test_nothing_of_a_failed_run_stays(migration: Any) -> None:
    check = acls.copied_acls_check(migration, {"t": "t"}, [{"name": "content", "status": "fail"}])
    assert (check.status, migration.target.there) == (Status.SKIPPED, [])
    assert "content" in check.detail


def test_what_would_stop_a_replication_that_goes_on_is_refused(migration: Any) -> None:
    assert acls.stopping_acls(migration) == []
    migration.spec.keep_replicating = True
    (found,) = acls.stopping_acls(migration)
    assert (found.param, str(FROZEN) in found.subject) == ("acls", True)
    migration.source.there[:] = [Acl("TOPIC", "t", "LITERAL", "User:bob", "WRITE", "DENY")]
    migration.target.extra = {"sasl.username": "f", "sasl.mechanism": "PLAIN"}
    assert acls.stopping_acls(migration) == []


WRITE = Acl("TOPIC", "t", "PREFIXED", "User:CN=app,O=x", "WRITE")


def test_the_whole_clusters_acls_are_made_with_the_targets_names(migration: Any) -> None:
    spec = migration.spec
    spec.acl_scope, spec.principals = AclScope.CLUSTER, {"User:CN=([^,]+),.*": r"User:\1"}
    token = Acl("USER", "User:CN=b,O=x", "LITERAL", "User:CN=app,O=x", "CREATE_TOKENS")
    migration.source.there[:] = [WRITE, token]

    check = acls.copied_acls_check(migration, {"t": "new.t"}, [])

    assert (check.status, check.expected) == (Status.PASS, "2 ACLs, every one of the source")
    assert sorted(migration.target.there) == [
        Acl("TOPIC", "new.t", "PREFIXED", "User:app", "WRITE"),
        Acl("USER", "User:b", "LITERAL", "User:app", "CREATE_TOKENS"),
    ]


def test_with_names_of_the_targets_the_topics_acls_are_compared_too(migration: Any) -> None:
    migration.spec.principals = {"User:CN=(.*)": r"User:\1"}
    migration.source.there[:] = [Acl("TOPIC", "t", "LITERAL", "User:CN=app", "READ")]
    migration.target.there[:] = [Acl("TOPIC", "t", "LITERAL", "User:app", "READ")]

    assert acls.acls_check(migration, {"t": "t"}).status is Status.PASS


def test_a_right_that_an_acl_took_away_fails_the_check(migration: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Any) -> None:
        raise NotAuthorized("t: not allowed to create the ACL x")

    monkeypatch.setattr(migration.target, "create_acls", refuse)
    check = acls.copied_acls_check(migration, {"t": "t"}, [])
    assert (check.status, check.detail) == (Status.FAIL, "t: not allowed to create the ACL x")


def test_who_may_write_where_a_replication_goes_on_is_warned_of(migration: Any) -> None:
    spec = migration.spec
    spec.acl_scope, spec.keep_replicating = AclScope.CLUSTER, True
    elsewhere = Acl("TOPIC", "elsewhere", "LITERAL", "User:*", "WRITE", "DENY")
    migration.source.there[:] = [WRITE, elsewhere]
    migration.topics.targets = lambda _: {"t": "new.t"}

    (found,) = acls.stopping_acls(migration)

    assert (str(found.severity), found.param, "new.t (prefix)" in found.subject) == ("warn", "acl_scope", True)


def test_expressions_that_match_nobody_are_told_as_far_as_there_is_anybody_to_see(
    migration: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert acls.unmatched_principals(migration) == []
    migration.spec.principals = {"User:held": "User:a", "User:scram": "User:c", r"User:\*x": "User:b"}
    held = Quota.of({"user": "held", "client-id": None}, "producer_byte_rate", 1.0)
    monkeypatch.setattr(acls, "KafkaQuotas", SimpleNamespace(of=lambda _: SimpleNamespace(quotas=lambda: [held])))
    known = [ScramUser("scram", "SCRAM-SHA-512", 4096)]
    monkeypatch.setattr(acls, "KafkaScramUsers", SimpleNamespace(of=lambda _: SimpleNamespace(users=lambda: known)))
    (found,) = acls.unmatched_principals(migration)
    assert found.subject == r"expression User:\*x"

    def unseen(*_: Any) -> None:
        raise NotAuthorized("s: no")

    for name in ("KafkaQuotas", "KafkaScramUsers"):
        monkeypatch.setattr(acls, name, SimpleNamespace(of=unseen))
    monkeypatch.setattr(migration.source, "acls", unseen)
    assert acls.unmatched_principals(migration) == []


ARN = "arn:aws:kafka:eu-west-1:123456789012:cluster/shop/1a2b-3"


@pytest.fixture
def on_msk(migration: Any) -> Any:
    migration.spec.cluster_arn, migration.spec.acls = ARN, Acls.CHECK
    migration.target.extra = {"bootstrap.servers": "b-1.shop.kafka.eu-west-1.amazonaws.com:9098",
                              "sasl.mechanism": "OAUTHBEARER"}  # fmt: skip
    migration.source.there[:] = [Acl("TOPIC", "t", "LITERAL", "User:app", operation) for operation in ("READ", "WRITE")]
    return migration


def test_for_a_target_by_iam_policies_are_kept_beside_the_plan_and_shown_in_the_report(on_msk: Any) -> None:
    kept: dict[str, str] = {}

    notes = acls.policy_notes(on_msk, kept.__setitem__)
    check = acls.acls_check(on_msk, {"t": "t"})

    (text,) = kept.values()
    document = json.loads(text)["policies"]["User:app"]
    actions = {action for one in document["Statement"] for action in one["Action"]}
    assert {"kafka-cluster:ReadData", "kafka-cluster:WriteData"} <= actions, "what MirrorMaker 2 leaves out as well"
    assert [*kept] == ["iam_policies.json"]
    assert "iam_policies.json" in notes[0]
    (line,) = [one for one in check.differences if one.startswith("IAM policy for User:app: ")]
    assert json.loads(line.removeprefix("IAM policy for User:app: ")) == document


def test_also_where_the_target_has_no_acls_at_all(on_msk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_msk.target, "acls", lambda: None)

    check = acls.acls_check(on_msk, {"t": "t"})

    assert (check.status, "no authorizer" in check.detail) == (Status.SKIPPED, True)
    assert check.differences[0].startswith("IAM policy for User:app: ")


def test_of_the_whole_cluster_what_cannot_be_carried_is_in_no_policy(on_msk: Any) -> None:
    on_msk.spec.acl_scope, on_msk.spec.target_prefix = AclScope.CLUSTER, lambda _: None
    on_msk.source.there.append(Acl("TOPIC", "pre", "PREFIXED", "User:app", "READ"))

    found = acls.target_policies(on_msk, {"t": "new.t"})

    assert found is not None
    assert [str(acl) for acl, _ in found.left] == ["ALLOW READ on topic pre (prefix) for User:app"]
    assert "new.t" in json.dumps(found.documents)


def test_without_its_arn_the_plan_says_what_it_would_take(on_msk: Any) -> None:
    on_msk.spec.cluster_arn = None
    (note,) = acls.policy_notes(on_msk, None)
    assert "with cluster_arn the plan has policies" in note
    on_msk.spec.acls = Acls.SKIP
    assert acls.policy_notes(on_msk, None) == []


def test_other_targets_have_none(on_msk: Any) -> None:
    on_msk.target.extra = {"bootstrap.servers": "b:9092"}
    assert acls.target_policies(on_msk, {"t": "t"}) is None
    assert acls.policy_notes(on_msk, None) == []


def test_what_somebody_asked_to_delete_is_deleted_last_and_nothing_else(
    migration: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, there = migration.spec, migration.target.there
    spec.acl_scope, spec.delete_acls_of = AclScope.CLUSTER, ["User:leaver"]
    leaver, other = (Acl("TOPIC", "x", "LITERAL", f"User:{who}", "READ") for who in ("leaver", "other"))
    there += [leaver, other]
    deleted: list[Acl] = []

    def delete(acls: Any) -> None:
        deleted.extend(acls)
        there[:] = [acl for acl in there if acl not in deleted]

    monkeypatch.setattr(acls, "KafkaAcls", SimpleNamespace(of=lambda _: SimpleNamespace(delete_acls=delete)))

    assert (
        acls.copied_acls_check(migration, {"t": "t"}, [{"name": "content", "status": "fail"}]).status is Status.SKIPPED
    )
    assert deleted == []
    check = acls.copied_acls_check(migration, {"t": "t"}, [])

    assert (deleted, check.status) == ([leaver], Status.EXPLAINED)
    assert check.differences == [f"only on the target, and kept: {other}"]


def test_one_that_cannot_be_deleted_fails(migration: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acls, "_VISIBLE_SECONDS", 0.0)
    monkeypatch.setattr(acls, "KafkaAcls", SimpleNamespace(of=lambda _: SimpleNamespace(delete_acls=lambda _: None)))
    migration.spec.acl_scope, migration.spec.delete_acls_of = AclScope.CLUSTER, [".*"]
    migration.source.there.clear()
    migration.target.there.append(Acl("TOPIC", "x", "LITERAL", "User:leaver", "READ"))

    check = acls.copied_acls_check(migration, {"t": "t"}, [])

    assert (check.status, "still on the target" in check.differences[0]) == (Status.FAIL, True)


def test_who_cannot_tell_its_own_acls_may_not_delete_any(migration: Any) -> None:
    migration.spec.acl_scope, migration.spec.delete_acls_of = AclScope.CLUSTER, [".*"]
    migration.target.extra = {"security.protocol": "SSL"}
    with pytest.raises(
        BadParam, match="'delete_acls_of' is given, and connection 't' does not tell as whom it logs in"
    ):
        planning._acl_changes(migration)
    migration.target.extra = {"sasl.username": "f", "sasl.mechanism": "PLAIN"}
    assert [str(change.action) for change in planning._acl_changes(migration)] == ["create"]
