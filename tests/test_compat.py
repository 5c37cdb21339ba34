"""What differs between versions of Airflow and its providers, as they are installed here and as they were."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from kafka_ferry.compat import answer_within, hitl_operator

WEEK = timedelta(days=7)


def test_how_long_a_person_may_take_is_told_as_the_provider_wants_it() -> None:
    class Of111:
        def __init__(self, *, subject: str, options: list[str], **kwargs: Any) -> None: ...

    class Of114:
        def __init__(self, *, subject: str, response_timeout: timedelta | None = None, **kwargs: Any) -> None: ...

    assert answer_within(Of111, WEEK) == {"execution_timeout": WEEK}
    assert answer_within(Of114, WEEK) == {"response_timeout": WEEK}


def test_the_installed_one_has_its_own_argument_for_it() -> None:
    operator = hitl_operator()
    assert operator is not None
    assert answer_within(operator, WEEK) == {"response_timeout": WEEK}, "else each load warns"
