"""Params that MirrorMaker 1 cannot fulfil are refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.common.form import params_of
from kafka_ferry.jobs.migration.engines.mirror_maker1_spec import MirrorMaker1Spec
from kafka_ferry.jobs.migration.rules.specs import spec_of


def test_the_engine_has_its_spec() -> None:
    assert spec_of("mirror_maker1") is MirrorMaker1Spec
    assert MirrorMaker1Spec.from_params({"topics": ["a"]}).groups == []


@pytest.mark.parametrize(
    "params",
    [
        {"naming": "prefix"},
        {"heartbeats": True},
        {"exactly_once": True},
        {"groups": [".*"]},
        {"jvm_options": "x"},
        {"hosts": []},
    ],
)
def test_what_cannot_be_is_refused(params: dict[str, Any]) -> None:
    with pytest.raises(BadParam) as refused:
        MirrorMaker1Spec.from_params({"topics": ["a"], **params})
    assert refused.value.param == next(iter(params))


def test_the_form_offers_what_the_spec_takes_and_finds_the_jars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRY_MM1_LIBS", "/some/where")
    form = params_of(MirrorMaker1Spec)
    assert form.keys() <= MirrorMaker1Spec.model_fields.keys()
    assert not {"naming", "groups", "heartbeats", "exactly_once"} & form.keys()
    assert form["kafka_libs"].value == "/some/where"
