"""How long a copy will take, from what was measured. Pure, and honest about being a guess."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

# Bytes and records a second of one Connect worker on 2 cores that also ran both brokers (docs/benchmarks.md); a real
# worker has more cores. lan: loopback. wan: 50 ms round trip, source brokers with open send buffers, 8 partitions.
# gentle: loopback, its slowest run of three; its records are those of 1 KB, smaller ones were not measured.
_MEASURED: Final = MappingProxyType({"lan": (141e6, 371e3), "wan": (102e6, 371e3), "gentle": (110e6, 156e3)})
_START_SECONDS: Final = 10.0
_SECONDS_PER_PARTITION: Final = 0.005


@dataclass(frozen=True)
class Estimate:
    """Seconds, and what they rest on."""

    seconds: float
    basis: str


def estimate(throughput: str, records: int, size: int, partitions: int) -> Estimate:
    """Time for ``records`` records of together ``size`` bytes on ``partitions`` partitions."""
    bytes_per_second, records_per_second = _MEASURED[throughput]
    copy = max(size / bytes_per_second, records / records_per_second)
    seconds = _START_SECONDS + partitions * _SECONDS_PER_PARTITION + copy
    basis = (
        f"profile {throughput!r} moved {bytes_per_second / 1e6:.0f} MB/s, {records_per_second / 1e3:.0f} k records/s "
        "on 2 cores shared with both brokers; your network decides; the first progress lines show the actual rate"
    )
    return Estimate(seconds, basis)
