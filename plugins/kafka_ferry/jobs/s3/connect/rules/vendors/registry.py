"""Whose S3 connectors there are. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from kafka_ferry.jobs.s3.connect.rules.vendors.aiven import Aiven
from kafka_ferry.jobs.s3.connect.rules.vendors.camel import Camel
from kafka_ferry.jobs.s3.connect.rules.vendors.confluent import Confluent
from kafka_ferry.jobs.s3.connect.rules.vendors.lenses import Lenses
from kafka_ferry.jobs.s3.connect.rules.vendors.own import KafkaFerry
from kafka_ferry.jobs.s3.connect.rules.vendors.vendor import Vendor

Connector = Literal["kafka_ferry", "confluent", "aiven", "lenses", "camel"]

OWN: Final = KafkaFerry()
#: Those of other makers.
VENDORS: Final[Mapping[str, Vendor]] = {
    "confluent": Confluent(),
    "aiven": Aiven(),
    "lenses": Lenses(),
    "camel": Camel(),
}
CONNECTORS: Final[Mapping[str, Vendor]] = {"kafka_ferry": OWN, **VENDORS}
