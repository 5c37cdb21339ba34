"""Records of a sample that the target, or what copies them, does not take for their size. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from kafka_ferry.core.finding import Finding
from kafka_ferry.core.largest_record import Limit, lifted_finding, request_limits, size_finding
from kafka_ferry.core.retention import size_limit
from kafka_ferry.jobs.migration.rules.preflight import TopicFacts, why_not_lifted
from kafka_ferry.jobs.migration.rules.sample import Sample

_FIX = (
    "set {}={{bytes}} or more on the target topic, or let it be lifted (hold_retention without keep_replicating, the "
    "right ALTER_CONFIGS)"
)


def record_findings(
    topics: Iterable[TopicFacts],
    samples: Mapping[str, Sample],
    target: Mapping[str, str],
    refused: Mapping[str, str],
    engine: Collection[Limit],
    codec: str,
    *,
    hold: bool,
) -> Iterator[Finding]:
    """At most one a topic: the worst that its largest record of the sample meets.

    :param samples: by source topic. ``target``: a broker's configuration.
    :param refused: target topic to why its limits of size cannot be lifted.
    :param engine: what sends the records checks them against these. ``codec``: its ``compression.type``.
    """
    for facts in topics:
        sample = samples.get(facts.source.name)
        if sample is None:
            continue
        name, target_name = facts.source.name, facts.desired.name
        subject = f"topic {name}" if target_name == name else f"topic {name} (on the target {target_name})"
        stays = why_not_lifted(facts, refused, hold)
        limit, own = size_limit(facts.configs, lifted=not stays), size_limit(facts.configs)
        topic = [Limit(f"{limit[0]} of the target topic", limit[1], _FIX.format(limit[0]), why=stays)] if limit else []
        limits = [*engine, *request_limits(target), *topic]
        found = size_finding(subject, [sample.record], sample.batch, limits, basis=sample.basis, codec=codec)
        if found is None and own and not stays:
            found = lifted_finding(subject, sample.record, *own, sample.basis)
        if found is not None:
            yield found
