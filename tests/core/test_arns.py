from __future__ import annotations

import pytest

from kafka_ferry.core.arns import account_of, region_of
from kafka_ferry.exceptions import BadParam

ARN = "arn:aws:kafkaconnect:eu-west-1:123456789012:connector/orders/11111111-2222-3333-4444-555555555555-2"


def test_parts_of_an_arn() -> None:
    assert (region_of(ARN), account_of(ARN)) == ("eu-west-1", "123456789012")
    with pytest.raises(BadParam, match="is not an ARN"):
        region_of("orders")
