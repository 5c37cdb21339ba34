"""Topic configs that the target does not take: what is said of them, and what is left of the topics. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kafka_ferry.core.checks import Check, Status
from kafka_ferry.core.desired_topic import DesiredTopic
from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.words import number_of

#: A config, as ``key`` and value.
Setting = tuple[str, str]
_NAMED = 5


@dataclass(frozen=True)
class RefusedConfigs:
    """What the target answered.

    :param configs: target topic to the settings it does not take there. ``reasons``: why, by setting.
    :param topics: target topic to why it cannot be made, where no single config is to blame.
    """

    configs: Mapping[str, Sequence[Setting]] = field(default_factory=dict)
    reasons: Mapping[Setting, str] = field(default_factory=dict)
    topics: Mapping[str, str] = field(default_factory=dict)

    def also(self, known: RefusedConfigs) -> RefusedConfigs:
        """With what is known without asking; the target's own words come first."""
        names = {*self.configs, *known.configs}
        both = {name: [*self.configs.get(name, ()), *known.configs.get(name, ())] for name in names}
        return RefusedConfigs(
            configs={name: list(dict.fromkeys(settings)) for name, settings in both.items()},
            reasons={**known.reasons, **self.reasons},
            topics=self.topics,
        )

    def without(self, desired: Iterable[DesiredTopic]) -> list[DesiredTopic]:
        """The topics as the target takes them."""
        return [
            replace(topic, configs=dict(topic.configs.items() - set(self.configs.get(topic.name, ()))))
            for topic in desired
        ]

    def findings(self, conn_id: str, skip: bool) -> list[Finding]:
        """One for each setting, and for each topic that cannot be made.

        :param skip: param ``refused_configs`` is skip.
        """
        fix = "refused_configs: skip leaves it out; or remove it from the source topics"
        end = ""
        if skip:
            fix, end = "none needed, if the topics can do without", ", and left out there"
        severity = Severity.ADVISE if skip else Severity.REFUSE
        found = [
            Finding(
                severity,
                "refused_configs",
                f"config {setting[0]}={setting[1]}",
                f"{conn_id} does not take it: {why.rstrip('.')}; it is set on {self._topics_with(setting)}{end}",
                fix,
                "refused_configs",
            )
            for setting, why in sorted(self.reasons.items())
        ]
        return found + [
            Finding(
                Severity.REFUSE,
                "refused_topics",
                f"topic {topic}",
                f"{conn_id} would not create it: {why}",
                "what the target says, or leave the topic out with exclude_topics",
            )
            for topic, why in sorted(self.topics.items())
        ]

    def explain(self, check: Check) -> Check:
        """The check ``configs``, with what was left out in it."""
        if not self.reasons:
            return check
        left = [
            f"{key}={value}, on {self._topics_with((key, value))}: left out, the target does not take it"
            for key, value in sorted(self.reasons)
        ]
        number = number_of(sum(map(len, self.configs.values())), "setting")
        status = Status.EXPLAINED if check.status is Status.PASS else check.status
        detail = "; ".join(filter(None, [check.detail, f"{number} left out (refused_configs: skip)"]))
        return check.model_copy(update={"status": status, "detail": detail, "differences": [*check.differences, *left]})

    def _topics_with(self, setting: Setting) -> str:
        names = sorted(topic for topic, settings in self.configs.items() if setting in settings)
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        return f"{number_of(len(names), 'topic')}: {', '.join(names[:_NAMED])}{more}"


def settings_to_try(desired: Iterable[DesiredTopic]) -> dict[Setting, str]:
    """Each setting of these topics, with one that has it."""
    return {setting: topic.name for topic in desired for setting in topic.configs.items()}
