"""How long the canary is waited for."""

from __future__ import annotations

from kafka_ferry.jobs.migration.rules.canary import patience_for


def test_patience_grows_with_what_an_engine_has_to_give_out_again() -> None:
    assert patience_for(5, 2) < 65, "a small migration that copies nothing says so soon"
    assert patience_for(5, 2000) > 2 * 50, "twice what a busy small machine took"
    assert patience_for(60, 2) > 2 * 60, "the engine may have looked a moment before"
