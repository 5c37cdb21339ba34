"""Params of a cutover: which go together."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.cutover.rules.spec import CutoverSpec

#: What other tools give it by name.
CONTRACT = {
    "topics", "groups", "source_conn_id", "target_conn_id", "migration", "fence", "fence_webhook_conn_id",
    "handover_webhook_conn_id", "approval", "dry_run",
}  # fmt: skip


def spec(**params: Any) -> CutoverSpec:
    return CutoverSpec.from_params({"topics": ["orders"], **params})


def test_the_params_that_other_tools_give_are_in_the_form() -> None:
    assert CutoverSpec.model_fields.keys() - set(CutoverSpec.form_without) >= CONTRACT


@pytest.mark.parametrize(
    ("params", "param", "problem"),
    [
        ({"fence": "webhook"}, "fence_webhook_conn_id", "is missing"),
        ({"fence": "acl", "fence_webhook_conn_id": "x"}, "fence_webhook_conn_id", "but fence is acl"),
        ({"fence": "prove", "keep_fence": True}, "keep_fence", "nothing to keep"),
        ({"end_connectors": ["a"], "keep_fence": True}, "connect_conn_id", "is missing"),
        ({"end_connectors": ["a"], "connect_conn_id": "c"}, "end_connectors", "would be lost"),
        ({"any_partition": True}, "any_partition", "by partition"),
        ({"verification": "counts"}, "verification", "compares contents"),
        ({"fence": "x"}, "fence", "got 'x'"),
    ],
)
def test_what_cannot_work_is_refused(params: dict[str, Any], param: str, problem: str) -> None:
    with pytest.raises(BadParam) as caught:
        spec(**params)
    assert caught.value.param == param
    assert problem in str(caught.value)


def test_connectors_end_behind_a_fence_that_stays() -> None:
    made = spec(end_connectors=["a"], connect_conn_id="c", keep_fence=True)
    assert (made.end_connectors, made.wave) == (["a"], "wave-1")


def test_silence_is_longer_where_no_acl_stops_anybody() -> None:
    assert [spec(fence=fence, fence_webhook_conn_id="x" if fence == "webhook" else None).silence
            for fence in ("acl", "webhook", "prove")] == [1, 3, 3]  # fmt: skip
    assert spec(proof_seconds=7).silence == 7
