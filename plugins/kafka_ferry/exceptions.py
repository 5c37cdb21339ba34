"""The errors Kafka Ferry raises; ``retriable`` says whether the same call may succeed later."""

from __future__ import annotations

from typing import ClassVar


class FerryError(Exception):
    """Base of all errors raised on purpose. The message is what the operator reads in the task log."""

    retriable: ClassVar[bool] = False


class BadParam(FerryError):
    """A param that cannot work. Nothing was changed.

    :param param: name of the DAG param, as the trigger form shows it.
    :param problem: what is wrong with it.
    :param fix: what to write instead.
    """

    def __init__(self, param: str, problem: str, fix: str) -> None:
        # "param 'x' is missing", "param 'x': no topic matches"
        joint = " " if problem.startswith("is ") else ": "
        end = "" if problem.endswith("?") else "."
        super().__init__(f"param {param!r}{joint}{problem}{end} Fix: {fix}")
        self.param, self.problem, self.fix = param, problem, fix

    def __reduce__(self) -> tuple[type[BadParam], tuple[str, str, str]]:
        return type(self), (self.param, self.problem, self.fix)


class BadConnection(FerryError):
    """An Airflow connection that is missing or cannot be used as it stands."""


class BadSetting(FerryError):
    """An option of the deployment that cannot work: section ``[kafka_ferry]`` of Airflow's configuration."""


class NotAuthorized(FerryError):
    """An ACL is missing: the message names the resource and the right."""


class NotSupported(FerryError):
    """Brokers, or the way to log in there, cannot do this; the message names which."""


class TransientError(FerryError):
    """A broker, worker or network that did not answer as it should; worth another try."""

    retriable: ClassVar[bool] = True


class DataLossError(FerryError):
    """Records were lost or may have been: never retried, never ignored."""
