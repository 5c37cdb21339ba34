"""Ask a person before the producers are stopped, where the params want it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from kafka_ferry.compat import answer_within, hitl_operator
from kafka_ferry.exceptions import FerryError
from kafka_ferry.jobs.common.tasks import FerryOperator, stage

if TYPE_CHECKING:
    from airflow.sdk import Context

_YES, _NO = "Approve", "Reject"
_HITL: Any = hitl_operator()
_BASES: Any = (FerryOperator, _HITL) if _HITL else (FerryOperator,)
_ASKED: dict[str, Any] = (
    {
        "subject": "Cut over wave {{ params.migration }}: stop its producers now?",
        "body": "Topics: {{ params.topics | join(', ') }}. Fence: {{ params.fence }}. The plan and what speaks against "
        "it are in the log of the task plan, how far the replication is in that of lag_gate.",
        "options": [_YES, _NO],
    }
    if _HITL
    else {}
)


class NotApproved(FerryError):
    """Somebody said no: nothing was stopped."""


class ApprovalOperator(*_BASES):  # type: ignore[misc]
    """Airflow's own question to a person. With ``approval`` false it is passed at once."""

    def __init__(self, **kwargs: Any) -> None:
        within = answer_within(_HITL, timedelta(days=7)) if _HITL else {}
        super().__init__(**{**_ASKED, **kwargs, **within})

    def validate_params(self) -> None:
        """Of Airflow's operator, as it is made. Only the answer's own params are meant, and there are none: Airflow 3.1
        has the DAG's here as well, and refuses to load it for those without a default."""
        from airflow.sdk.definitions.param import ParamsDict

        self.params = ParamsDict()
        super().validate_params()

    def execute(self, context: Context) -> Any:
        with stage(context):
            from kafka_ferry.jobs.common.wave_journals import is_done

            if _HITL is None or not context["params"]["approval"] or is_done(context):
                return "not asked"
            return _HITL.execute(self, context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """:raises NotApproved: the answer was no."""
        with stage(context):
            answer = _HITL.execute_complete(self, context, event)
            if answer["chosen_options"] != [_YES]:
                user = answer.get("responded_by_user") or {}
                who = user.get("name") if isinstance(user, dict) else getattr(user, "name", user)
                raise NotApproved(f"the cutover was not approved by {who}: nothing was stopped. Fix: a new run")
            return answer["chosen_options"]


class BackApprovalOperator(ApprovalOperator):
    """The same question of ``fail_back``, whose params name no topics."""

    def __init__(self, **kwargs: Any) -> None:
        asked = {
            "subject": "Take wave {{ params.migration }} back: stop its producers on the target now?",
            "body": "Fence: {{ params.fence }}. The plan, with its topics and what speaks against it, is in the log of "
            "the task plan, how far the replication is in that of lag_gate.",
        }
        super().__init__(**{**(asked if _HITL else {}), **kwargs})
