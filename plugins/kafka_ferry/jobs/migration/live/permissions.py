"""What a migration's users lack on both clusters, told before anything changes."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kafka_ferry.core.commits import Commit
from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.group_types import AllGroups
from kafka_ferry.core.needs import permission_findings
from kafka_ferry.core.partition import Partition
from kafka_ferry.core.rights import Resource, Rights
from kafka_ferry.core.topics import TopicState
from kafka_ferry.exceptions import BadParam
from kafka_ferry.hooks.kafka.authorized_operations import RightsSurvey
from kafka_ferry.jobs.migration.engines.registry import engine_of
from kafka_ferry.jobs.migration.live.migration import Migration
from kafka_ferry.jobs.migration.rules.permissions import (
    canary_needs,
    idempotent_needs,
    invisible,
    source_needs,
    target_needs,
    work_needs,
)
from kafka_ferry.jobs.migration.rules.preflight import TopicFacts
from kafka_ferry.jobs.migration.rules.resolve import resolve_groups, resolve_topics

_NAME = re.compile(r"[A-Za-z0-9._-]+")  # what a topic may be called; as a regex it matches hardly anything else


class Permissions:
    """The rights that one migration needs, compared with those of its connections' users. Changes nothing.

    MirrorMaker 2 works as the same users: its configs are derived from the same connections.
    """

    def __init__(self, migration: Migration) -> None:
        self._migration, self._spec = migration, migration.spec
        self._source, self._target = RightsSurvey.of(migration.source), RightsSurvey.of(migration.target)
        self._target_rights: Rights | None = None

    def findings(self) -> list[Finding]:
        """What every run needs. Asks nothing that takes more than to be logged in.

        :raises BadParam: as ``resolve_topics``. ``BadConnection``: the credentials of a connection are refused.
        """
        for survey in (self._source, self._target):
            survey.ping()
        spec, seen = self._spec, _Names(self._source)
        hidden = self._hidden(seen)
        try:
            topics = resolve_topics(spec, seen).selection.names
        except BadParam:
            if hidden:
                return invisible(self._rights_of_source([], [])[0], hidden, "source_conn_id", Severity.REFUSE)
            raise
        meant = resolve_groups(spec, seen, {}, self._migration.no_share_starts).selection.names
        groups = [group for group in meant if group]  # "": no right names it
        engine = engine_of(self._migration)
        own_groups = set(engine.groups)
        others = [group for group in groups if group not in own_groups]
        source, _ = self._rights_of_source(topics, [*others, *own_groups])
        own = engine.own_topics()
        targets = [spec.target_topic(name) for name in topics]
        canary = [spec.target_topic(self._migration.canary)] if spec.canary else []
        target, existing = self._target.rights([*targets, *own, *canary], [])
        self._target_rights = target
        on_source, on_target = canary_needs(spec, self._migration.canary, source)
        if engine.writes_idempotently and not self._target.capabilities.writers_are_idempotent:
            on_target += idempotent_needs()
        return [
            *permission_findings(
                source, [*source_needs(spec, topics, others, own_groups), *on_source], "source_conn_id"
            ),
            *invisible(source, hidden, "source_conn_id", Severity.WARN),
            *permission_findings(target, [*target_needs(spec, targets, existing, own), *on_target], "target_conn_id"),
        ]

    def findings_for(self, facts: Iterable[TopicFacts], groups: Iterable[str]) -> list[Finding]:
        """What the changes of this run need besides, on the target.

        :param groups: those with commits on the topics.
        """
        wanted = [group for group in groups if group]
        rights = self._target_rights or Rights(self._target.name, self._target.principal)
        answers = {**rights.answers, **self._target.groups(wanted)}
        rights = Rights(
            rights.conn_id, rights.principal, answers, rights.acls, rights.reason, everything=rights.everything
        )
        return permission_findings(rights, work_needs(self._spec, facts, wanted), "target_conn_id")

    def _rights_of_source(self, topics: Iterable[str], groups: Iterable[str]) -> tuple[Rights, set[str]]:
        canary = [self._migration.canary] if self._spec.canary else []
        return self._source.rights([*topics, *canary], groups)

    def _hidden(self, seen: _Names) -> list[Resource]:
        """What params name in full, is not listed, and may be there all the same."""
        topics = _named(self._spec.topics, seen.topic_names())
        groups = _named(self._spec.groups, seen.group_names())
        return self._source.hidden(topics, groups)


class _Names:
    """The source as ``resolve`` wants it, for names alone: reading configs and commits takes rights, too."""

    def __init__(self, survey: RightsSurvey) -> None:
        self._topics, self._groups = survey.topic_names(), survey.all_groups()
        self.can_name, self._survey = survey.can_name, survey

    def topic_names(self) -> list[str]:
        return self._topics

    def topics(self, names: Iterable[str]) -> dict[str, TopicState]:
        return {}

    def all_groups(self) -> AllGroups:
        return self._groups

    def group_names(self) -> list[str]:
        """Of any type."""
        return [*self._groups.consumers, *self._groups.others]

    @property
    def no_share_starts(self) -> str:
        return self._survey.no_share_starts

    def share_starts(self, groups: Iterable[str]) -> dict[str, dict[Partition, Commit]]:
        return {}

    def committed(self, groups: Iterable[str]) -> dict[str, dict[Partition, int]]:
        return {}


def _named(entries: Iterable[str], listed: Iterable[str]) -> list[str]:
    there = set(listed)
    return [entry for entry in entries if _NAME.fullmatch(entry) and entry not in there]
