"""What one connection answered, and what that says. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pydantic import Field

from kafka_ferry.core.checks import Check, Status
from kafka_ferry.core.finding import Finding, Severity
from kafka_ferry.core.plan import PlannedConnection
from kafka_ferry.core.redaction import redact_text
from kafka_ferry.core.tolerant import Tolerant
from kafka_ferry.core.words import number_of
from kafka_ferry.jobs.connections.rules.plan import ABSENT, what

_NAMED = 200


class Answer(Tolerant):
    """Filled while a connection is asked: what is known of one that stops answering is told all the same.

    :param actual: what is there. ``notes``: more about it.
    :param missing: what is needed and is not there, or not allowed. ``limits``: the same, where runs do without.
    :param skipped: why nothing was asked; empty: it was.
    """

    conn_id: str
    actual: str = ""
    notes: list[str] = Field(default_factory=list)
    missing: list[str] = Field(default_factory=list)
    limits: list[str] = Field(default_factory=list)
    skipped: str = ""

    def without(self, secrets: Iterable[str]) -> Answer:
        """The same without these values, and without what reads as a secret."""
        known = list(secrets)

        def clean(text: str) -> str:
            return redact_text(text, known)

        return Answer(
            conn_id=self.conn_id,
            actual=clean(self.actual),
            notes=[*map(clean, self.notes)],
            missing=[*map(clean, self.missing)],
            limits=[*map(clean, self.limits)],
            skipped=clean(self.skipped),
        )


def tell(answer: Answer, found: Finding) -> None:
    """A finding where it belongs."""
    text = f"{found.subject}: {found.what}. Fix: {found.fix}"
    kept = {Severity.REFUSE: answer.missing, Severity.WARN: answer.limits, Severity.ADVISE: answer.notes}
    kept[found.severity].append(text)


def with_fix(text: str, passing: bool) -> str:
    """What went wrong, with what to look at where the error itself does not say.

    :param passing: whether nothing answered, as far as one can tell.
    """
    if "Fix: " in text or not passing:
        return text
    return f"{text.rstrip('.')}. Fix: does it run, is the address right, and does the network let Airflow's workers in?"


def not_asked(planned: PlannedConnection) -> Answer:
    """Of a connection that leads to nothing: a failure where the user named it."""
    if planned.named or not planned.problem.startswith(ABSENT):
        return Answer(conn_id=planned.conn_id, missing=[planned.problem])
    return Answer(conn_id=planned.conn_id, skipped=planned.problem)


def check_of(planned: PlannedConnection, answer: Answer | None) -> Check:
    """The connection's line of the report.

    :param answer: None: its task left none.
    """
    if answer is None:
        answer = Answer(conn_id=planned.conn_id, missing=["it was not asked. Fix: clear the task ask, see its log"])
    if answer.skipped:
        return Check(name=planned.conn_id, status=Status.SKIPPED, detail=answer.skipped)
    status = Status.FAIL if answer.missing else Status.EXPLAINED if answer.limits else Status.PASS
    return Check(
        name=planned.conn_id,
        status=status,
        expected=what(planned),
        actual=answer.actual or ("not usable" if answer.missing else "it is there"),
        detail="; ".join(answer.notes),
        differences=[*answer.missing, *answer.limits][:_NAMED],
    )


def checks_of(planned: Sequence[PlannedConnection], answers: Mapping[str, Answer]) -> list[Check]:
    """One check for each connection, in the order of the plan."""
    return [check_of(one, answers.get(one.conn_id)) for one in planned]


def sentence_of(checks: Sequence[Check]) -> str:
    """What a PASS says."""
    made = [check for check in checks if check.status is not Status.SKIPPED]
    limited = sum(check.status is Status.EXPLAINED for check in made)
    skipped = len(checks) - len(made)
    more = [f"{limited:,} with limits that are named below"] * bool(limited)
    more += [f"{skipped:,} more {'does' if skipped == 1 else 'do'} not exist"] * bool(skipped)
    end = f" ({'; '.join(more)})" if more else ""
    verb = "answers" if len(made) == 1 else "answer"
    return f"{number_of(len(made), 'connection')} {verb}, and nothing that was asked for is missing{end}."
