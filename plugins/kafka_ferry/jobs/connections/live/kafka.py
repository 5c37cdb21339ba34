"""Ask a Kafka cluster who we are to it, and what we may do."""

from __future__ import annotations

from kafka_ferry.core.words import number_of
from kafka_ferry.hooks.kafka.authorized_operations import RightsSurvey
from kafka_ferry.hooks.kafka.cluster import KafkaClusterHook
from kafka_ferry.hooks.kafka.config import client_config
from kafka_ferry.jobs.connections.live.question import Question
from kafka_ferry.jobs.connections.rules.answer import Answer
from kafka_ferry.jobs.connections.rules.kafka import tell_age, tell_rights


def ask_kafka(question: Question, answer: Answer) -> None:
    """:raises FerryError: it does not answer, or refuses the login."""
    spec, planned = question.spec, question.planned
    config = client_config(KafkaClusterHook(question.conn_id).extra)
    survey = RightsSurvey(config, question.conn_id, timeout=spec.patience)
    cluster_id, brokers = survey.ping()
    answer.actual = f"cluster {cluster_id}, {number_of(brokers, 'broker')}"
    there = survey.topic_names()
    answer.notes.append(f"it sees {number_of(len(there), 'topic')}")
    can = survey.capabilities
    tell_age(
        answer,
        planned.written_to,
        for_kafka_4=can.for_kafka_4,
        changes_configs=can.changes_configs,
        tells_rights=can.tells_rights,
    )
    rights, existing = survey.rights(spec.topics, spec.groups)
    tell_rights(answer, rights, planned.written_to, spec.topics, existing, spec.groups, there)
