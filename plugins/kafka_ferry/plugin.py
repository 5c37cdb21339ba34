"""Registers the pages: the report as the tab "Kafka Ferry" of a DAG run, all jobs in the navigation; nothing else.

From the wheel by its entry point, from a plugins folder by ``kafka_ferry_plugin.py``. Every process of Airflow loads
it, each task too, some of them twice: no state, and no import of the pages, which would cost each of them 1.2 s
(measured on Airflow 3.3.2). Airflow 3.0 shows no pages of plugins: it passes over ``external_views``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

#: Path of ``[api] base_url``: the UI puts the tab's address into its frame as it stands.
ROOT = urlsplit(conf.get("api", "base_url", fallback="") or "").path.rstrip("/")


async def report_app(scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
    """The pages' ASGI app, imported at the first request."""
    from kafka_ferry.report.app import app

    await app(scope, receive, send)


class KafkaFerryPlugin(AirflowPlugin):
    """The pages."""

    name = "kafka_ferry"
    fastapi_apps = [{"app": report_app, "url_prefix": "/kafka-ferry", "name": "Kafka Ferry"}]  # noqa: RUF012
    external_views = [  # noqa: RUF012 - as Airflow reads it
        {
            "name": "Kafka Ferry",
            "href": f"{ROOT}/kafka-ferry/report/{{DAG_ID}}/{{RUN_ID}}",
            "destination": "dag_run",
            "url_route": "kafka_ferry",
        },
        {
            "name": "Kafka Ferry",
            "href": f"{ROOT}/kafka-ferry/",
            "destination": "nav",
            "url_route": "kafka_ferry_jobs",
            "icon": f"{ROOT}/kafka-ferry/static/ferry.svg",
        },
    ]
