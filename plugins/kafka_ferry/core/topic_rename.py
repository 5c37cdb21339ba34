"""Formats such as ``${topic}.replica`` that give each topic another name on the target. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: Stands for the source topic's name, as in the replicator connectors' ``topic.rename.format``.
TOPIC = "${topic}"
DEFAULT_FORMAT = "${topic}.replica"
#: MirrorMaker 2 names topics by it. Our own (include/connect-plugins): its JAR must be on each worker's class path.
RENAME_POLICY = "kafkaferry.connect.RenameReplicationPolicy"
POLICY_KEY, RENAME_KEY = "replication.policy.class", "replication.policy.topic.rename.format"
LONGEST_NAME = 249  # Kafka's ``Topic.MAX_NAME_LENGTH``
_LEGAL = re.compile(r"[a-zA-Z0-9._-]+")


@dataclass(frozen=True)
class TopicRename:
    """One format, which leads to a target name and back.

    ``include/connect-plugins`` has the same in Java, for MirrorMaker 2: keep both alike.

    :raises ValueError: the format cannot work; the text says why, and what would.
    """

    format: str

    def __post_init__(self) -> None:
        if self.format.count(TOPIC) != 1:
            raise ValueError(
                f"{self.format!r} must contain {TOPIC} exactly once, such as {DEFAULT_FORMAT}; otherwise two topics "
                "would get one name, or a name could not be traced back"
            )
        around = self.before + self.after
        if around and not _LEGAL.fullmatch(around):
            raise ValueError(
                f"{self.format!r} may have only letters, digits, '.', '_' and '-' besides {TOPIC}: Kafka allows no "
                "others in a topic's name"
            )
        if len(around) >= LONGEST_NAME:
            raise ValueError(f"is {len(around)} characters longer than a topic, and Kafka allows {LONGEST_NAME} in all")

    @property
    def before(self) -> str:
        return self.format.partition(TOPIC)[0]

    @property
    def after(self) -> str:
        return self.format.partition(TOPIC)[2]

    @property
    def changes_nothing(self) -> bool:
        """Whether every topic keeps its name."""
        return self.format == TOPIC

    def target(self, topic: str) -> str:
        """The name on the target."""
        return f"{self.before}{topic}{self.after}"

    def source(self, target: str) -> str | None:
        """The name on the source; None for a name that this format cannot have made."""
        if len(target) <= len(self.before) + len(self.after):
            return None
        if not (target.startswith(self.before) and target.endswith(self.after)):
            return None
        return target[len(self.before) : len(target) - len(self.after)]


def name_problem(topic: str) -> str | None:
    """Why Kafka would not take this as a topic's name (``Topic.validate``); None when it does."""
    if topic in ("", ".", ".."):
        return "is not a name that Kafka allows"
    if len(topic) > LONGEST_NAME:
        return f"has {len(topic)} characters, Kafka allows {LONGEST_NAME}"
    if not _LEGAL.fullmatch(topic):
        return "has characters that Kafka does not allow"
    return None
