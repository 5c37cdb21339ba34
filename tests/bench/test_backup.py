"""The table of exports and restores: ratios within a run, costs per GB of values."""

from __future__ import annotations

from bench.backup import Run, backup_table


def test_ratios_are_taken_within_a_run_and_costs_per_gb() -> None:
    runs = [
        Run("kafka_ferry", "export", 2.0, 3.0, 200 * 2**20, objects=8, size=50_000_000, puts=20),
        Run("OSO", "export", 4.0, 5.0, 90 * 2**20, objects=9, size=60_000_000),
        Run("kafka_ferry", "export", 1.0, 3.0, 210 * 2**20, objects=8, size=50_000_000, puts=20),
        Run("OSO", "export", 3.0, 5.0, 95 * 2**20, objects=9, size=60_000_000),
        Run("kafka_ferry", "restore", 2.0, 3.0, 2**20),
        Run("OSO", "restore", 1.0, 1.0, 2**20),
    ]
    rows = {line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:-1]]
            for line in backup_table(runs, 1000, 100_000).splitlines()[2:]}  # fmt: skip
    assert rows["OSO export"] == [
        "3.5 (3.0-4.0)", "29.2 (25.0-33.3)", "29 (25-33)", "2.50 (2.00-3.00) x", "5.0 (5.0-5.0)",
        "95", "90", "-", "0.60",
    ]  # fmt: skip
    assert rows["kafka_ferry export"][5:] == ["210", "80", "200", "0.50"]
    assert rows["OSO restore"][3] == "0.50 x"
