"""Ask a Kafka Connect cluster what it is and what it can load."""

from __future__ import annotations

from kafka_ferry.core.topic_rename import POLICY_KEY, RENAME_POLICY
from kafka_ferry.core.words import number_of
from kafka_ferry.exceptions import FerryError
from kafka_ferry.hooks.connect.hook import ConnectHook
from kafka_ferry.hooks.registry.hook import RegistryHook
from kafka_ferry.jobs.connections.live.question import Question
from kafka_ferry.jobs.connections.rules.answer import Answer
from kafka_ferry.jobs.connections.rules.connect import tell_worker

_MIRROR = "org.apache.kafka.connect.mirror.MirrorSourceConnector"


def ask_connect(question: Question, answer: Answer) -> None:
    """A connection of type ``http`` may lead to a schema registry as well: then that is what is told of.

    :raises FerryError: it does not answer, refuses the login, or is something else.
    """
    patience = question.spec.patience
    hook = ConnectHook(question.conn_id, patience=patience)
    hook.rest.timeout = min(hook.rest.timeout, patience)
    try:
        info = hook.info()
    except FerryError as error:
        if error.retriable or not _is_registry(question, answer):
            raise
        return
    answer.actual = f"Kafka Connect {info.version}"
    answer.notes.append(f"its own topics are on cluster {info.kafka_cluster_id or 'unknown'}")
    answer.notes.append(f"it has {number_of(len(hook.connectors()), 'connector')}")
    classes = [plugin.class_name for plugin in hook.plugins()]
    tell_worker(answer, info.version, classes, _MIRROR in classes and _renames(hook))


def _is_registry(question: Question, answer: Answer) -> bool:
    hook = RegistryHook(question.conn_id, patience=question.spec.patience)
    try:
        subjects = hook.subjects()
    except FerryError:
        return False  # what was said to the question before it is told
    answer.actual = f"a schema registry with {number_of(len(subjects), 'subject')}"
    return True


def _renames(hook: ConnectHook) -> bool:
    """Whether the worker finds the class; its validation makes nothing."""
    found = hook.validate({"name": "check", "connector.class": _MIRROR, POLICY_KEY: RENAME_POLICY})
    return not any("could not be found" in text for text in found.errors.get(POLICY_KEY, ()))
