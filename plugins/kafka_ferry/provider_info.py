"""What Airflow shows of this package among its providers, and the connection type that it brings.

Every process that looks at providers calls it: nothing is imported.
"""

from __future__ import annotations

from typing import Any

NAME = "Kafka Ferry"


def get_provider_info() -> dict[str, Any]:
    """As ``airflow/provider_info.schema.json`` has it; entry point ``apache_airflow_provider``."""
    return {
        "package-name": "kafka-ferry",
        "name": NAME,
        "description": "Moves Kafka between clusters and proves that nothing was lost",
        "integrations": [
            {"integration-name": NAME, "external-doc-url": "https://kafka.apache.org/", "tags": ["software"]}
        ],
        "hooks": [_modules("hooks.connect.hook", "hooks.kafka.cluster", "hooks.msk_connect.hook")],
        "operators": [
            _modules(
                "operators.connect", "operators.msk.replicator", "operators.msk_connect.archives",
                "operators.msk_connect.connector",
            )
        ],
        "sensors": [_modules("sensors.connect", "sensors.msk_connect", "sensors.msk_replicator")],
        "triggers": [_modules("triggers.connect", "triggers.msk_connect")],
        "connection-types": [
            {
                "connection-type": "kafka_connect",
                "hook-name": "Kafka Connect",
                "hook-class-name": "kafka_ferry.hooks.connect.hook.ConnectHook",
                "ui-field-behaviour": {
                    "hidden-fields": [],
                    "relabeling": {"schema": "http or https", "host": "Host of the REST API"},
                    "placeholders": {
                        "host": "connect.example",
                        "port": "8083",
                        "schema": "http",
                        "login": "for basic authentication, else empty",
                        "extra": '{"verify": "/path/ca.pem", "timeout": 100, "config_provider": {"kafka_source": '
                        '{"sasl.password": "${file:/etc/kafka/source.properties:password}"}}}',
                    },
                },
            }
        ],
    }  # fmt: skip


def form_hints(connection_type: str) -> dict[str, Any]:
    """What a hook's ``get_ui_field_behaviour`` gives, for the form of Airflow before 3.2; later ones read the above."""
    (found,) = (one for one in get_provider_info()["connection-types"] if one["connection-type"] == connection_type)
    return {key.replace("-", "_"): value for key, value in found["ui-field-behaviour"].items()}


def _modules(*names: str) -> dict[str, Any]:
    return {"integration-name": NAME, "python-modules": [f"kafka_ferry.{name}" for name in names]}
