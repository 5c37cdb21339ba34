"""Ask the target which of the source's topic configs it does not take. Nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.core.topics import TopicState
from kafka_ferry.hooks.kafka.survey import KafkaSurvey
from kafka_ferry.jobs.migration.rules.provision import topic_changes
from kafka_ferry.jobs.migration.rules.refused_configs import RefusedConfigs, Setting, settings_to_try

_SETTINGS = 200  # different ones that are tried one by one


def ask_for_refused(
    survey: KafkaSurvey, desired: Sequence[DesiredTopic], existing: Mapping[str, TopicState]
) -> RefusedConfigs:
    """By validate_only: topics that are to be made, and configs that are to be set on others.

    Only where a topic is refused are its settings tried one by one, each on one topic.
    """
    # Of replicas ``check_replication`` speaks, in the words of its param.
    absent = [replace(topic, replication_factor=None) for topic in desired if topic.name not in existing]
    missing = {
        change.desired.name: dict(change.set_configs)
        for change in topic_changes([topic for topic in desired if topic.name in existing], existing)
        if change.set_configs
    }
    unmade = survey.not_to_be_made(absent)
    unset = survey.try_configs(missing, validate_only=True)
    suspects = [topic for topic in absent if topic.name in unmade]
    reasons = _refused_of(survey, settings_to_try(suspects))
    there = [DesiredTopic(name, name, 1, None, missing[name]) for name in unset]
    for (key, value), topic in list(settings_to_try(there).items())[:_SETTINGS]:
        if why := survey.try_configs({topic: {key: value}}, validate_only=True):
            reasons[key, value] = why[topic]
    configs = {
        topic.name: [setting for setting in topic.configs.items() if setting in reasons]
        for topic in [*suspects, *there]
    }
    return RefusedConfigs(
        configs={name: settings for name, settings in configs.items() if settings},
        reasons=reasons,
        topics={name: why for name, why in unmade.items() if not configs[name]},
    )


def _refused_of(survey: KafkaSurvey, settings: Mapping[Setting, str]) -> dict[Setting, str]:
    """Of settings of topics that do not exist; why."""
    reasons: dict[Setting, str] = {}
    for (key, value), topic in list(settings.items())[:_SETTINGS]:
        if why := survey.not_to_be_made([DesiredTopic(topic, topic, 1, None, {key: value})]):
            reasons[key, value] = why[topic]
    return reasons
