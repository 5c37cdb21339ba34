"""Ask one connection within bounded time, whatever it does."""

from __future__ import annotations

import threading
from collections.abc import Callable

from airflow.sdk.log import mask_secret

from kafka_ferry.compat import AirflowNotFoundException, BaseHook
from kafka_ferry.core.plan import Asked
from kafka_ferry.core.redaction import secret_values
from kafka_ferry.exceptions import FerryError
from kafka_ferry.jobs.connections.live.question import Question
from kafka_ferry.jobs.connections.rules.answer import Answer, not_asked, with_fix

#: Calls that a connection may take as long as the param ``patience`` says, one after the other.
_CALLS = 3


Asking = Callable[[Question, Answer], None]


def type_of(conn_id: str) -> str | None:
    """The type of a connection; None: there is none.

    :raises FerryError: it cannot be read; the error names its kind alone, as its text may hold the connection's.
    """
    try:
        return str(BaseHook.get_connection(conn_id).conn_type)
    except AirflowNotFoundException:
        return None
    except Exception as error:  # noqa: BLE001  # a secrets backend's own
        raise FerryError(
            f"it cannot be read ({type(error).__name__}). Fix: look at the secrets backend, or write it again"
        ) from None


def secrets_of(conn_id: str) -> set[str]:
    """Literal secrets of a connection, which are masked in the log from here on; none where there is no connection."""
    try:
        found = BaseHook.get_connection(conn_id)
        secrets = secret_values(found.extra_dejson) | ({found.password} if found.password else set())
    except Exception:  # noqa: BLE001  # a secrets backend's own
        return set()  # who asks it says why
    for secret in secrets:
        mask_secret(secret)
    return secrets


def ask(question: Question, asker: Callable[[Asked], Asking] | None = None) -> Answer:
    """Everything about one connection. Never raises: what goes wrong is its answer.

    :param asker: how a kind is asked.
    """
    kind = question.planned.kind
    if kind is None:
        return not_asked(question.planned)
    secrets, answer = secrets_of(question.conn_id), Answer(conn_id=question.conn_id)
    seconds, find = _CALLS * question.spec.patience, asker or _asker
    if not _ended(lambda: find(kind)(question, answer), answer, seconds):
        answer = answer.model_copy(deep=True)  # its thread may still write
        answer.missing.append(f"it did not answer within {seconds:g} s. Fix: look at the system, or raise patience")
    return answer.without(secrets)


def _ended(work: Callable[[], None], answer: Answer, seconds: float) -> bool:
    """Whether it ended in time. A call into C cannot be interrupted: it is left behind, and the process ends soon."""

    def run() -> None:
        try:
            work()
        except FerryError as error:
            answer.missing.append(with_fix(str(error), error.retriable))
        except Exception as error:  # noqa: BLE001  # whatever it is: the others are asked all the same
            answer.missing.append(f"{type(error).__name__}: {error}")

    thread = threading.Thread(target=run, name=f"ask {answer.conn_id}", daemon=True)
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()


def _asker(kind: Asked) -> Asking:
    """How a kind is asked.

    :raises MissingExtra: its extra is not installed; the others do without.
    """
    if kind is Asked.KAFKA:
        from kafka_ferry.jobs.connections.live.kafka import ask_kafka as asking
    elif kind is Asked.CONNECT:
        from kafka_ferry.jobs.connections.live.connect import ask_connect as asking
    elif kind is Asked.AWS:
        from kafka_ferry.jobs.connections.live.aws import ask_aws as asking
    elif kind is Asked.DATABASE:
        from kafka_ferry.jobs.connections.live.database import ask_database as asking
    else:
        from kafka_ferry.jobs.connections.live.host import ask_host as asking
    return asking
