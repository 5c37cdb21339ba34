"""Workers that are too old are refused with a cure, and others are not."""

from __future__ import annotations

import pytest

from kafka_ferry.exceptions import BadParam
from kafka_ferry.jobs.cutover.rules.old_connect import refuse_no_stop, refuse_no_way_back


@pytest.mark.parametrize("version", ["3.7.2", "2.7.2", "7.7.1-ccs"])
def test_a_way_back_needs_3_8(version: str) -> None:
    with pytest.raises(BadParam, match=r"a way back needs 3\.8.* Fix: a worker of Kafka 3\.8 or newer") as refused:
        refuse_no_way_back(version)
    assert version in str(refused.value)


@pytest.mark.parametrize("version", ["3.4.1", "7.4.0-ccs"])
def test_connectors_are_stopped_from_3_5_on(version: str) -> None:
    with pytest.raises(BadParam, match=r"'end_connectors'.* cannot stop one .* Fix: leave end_connectors empty"):
        refuse_no_stop(version, "end_connectors")


@pytest.mark.parametrize("version", ["3.8.0", "7.8.0-ccs", "4.3.1", "of its own"])
def test_others_are_taken(version: str) -> None:
    refuse_no_way_back(version)
    refuse_no_stop(version, "end_connectors")
