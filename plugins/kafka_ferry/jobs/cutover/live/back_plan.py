"""What speaks against a way back, from the live systems, before anything is done. Changes nothing."""

from __future__ import annotations

import logging

from kafka_ferry.core.changes import Change
from kafka_ferry.core.finding import Finding, finding_lines
from kafka_ferry.core.needs import permission_findings
from kafka_ferry.hooks.connect.states import ConnectorState
from kafka_ferry.hooks.kafka.authorized_operations import RightsSurvey
from kafka_ferry.jobs.cutover.live.way_back import WayBack
from kafka_ferry.jobs.cutover.rules.back_rights import needs_gone_back_to, needs_left, once_lifted
from kafka_ferry.jobs.cutover.rules.changes import brings, lifts, stops
from kafka_ferry.jobs.cutover.rules.old_connect import refuse_no_stop, refuse_no_way_back

log = logging.getLogger(__name__)


def rights_findings(back: WayBack) -> list[Finding]:
    """Which rights the users of both connections lack. MirrorMaker 2 works as the same users.

    :raises BadConnection: the credentials of a connection are refused.
    """
    left, here = RightsSurvey.of(back.wave.source), RightsSurvey.of(back.source)
    for survey in (left, here):
        survey.ping()
    spec, topics = back.wave.spec, sorted(back.forward.topics)
    on_left, _ = left.rights(topics, [])
    found = permission_findings(on_left, needs_left(spec, topics), "target_conn_id")
    if not any(on_left.may(("TOPIC", name), "DESCRIBE") is False for name in topics):
        groups = sorted(filter(None, back.wave.migration.groups.committed))  # "": no right names it
    else:
        groups = []  # which they are cannot be told
    own = back.engine.kept_topics
    on_here, there = here.rights([*topics, *own], groups)
    fence = back.fence_there
    needs = needs_gone_back_to(spec, topics, groups, own, there, lifts=bool(fence))
    found += permission_findings(once_lifted(on_here, fence), needs, "source_conn_id")
    tell("rights:", found)
    return found


def refuse_old_connect(back: WayBack) -> None:
    """:raises BadParam: workers are too old for what the params want of them."""
    spec = back.spec
    refuse_no_way_back(back.engine.connect.info().version)
    if spec.forward_connectors and not back.same_connect:
        refuse_no_stop(back.forward_connect.info().version, "forward_connectors")


def back_changes(back: WayBack) -> list[Change]:
    """What is changed before the window.

    :raises BadParam: the worker refuses the connector.
    """
    spec, named, connect = back.spec, back.spec.forward_connectors, back.forward_connect
    running = [name for name in back.named_there() if connect.status(name).state is not ConnectorState.STOPPED]
    here, topics = spec.source_conn_id, sorted(back.forward.topics)
    own = back.engine.kept_topics
    absent = [name for name in own if name not in back.source.admin.topic_ids(own)]
    return [
        *stops(named, running), *lifts(back.fence_there, here), *back.engine.changes(), *brings(topics, absent, here),
    ]  # fmt: skip


def tell(title: str, found: list[Finding]) -> None:
    """At once, as a refusal names the first ones only."""
    if found:
        log.info("\n".join([title, *finding_lines(found)]))
