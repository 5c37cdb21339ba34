"""The pages' app served as Airflow mounts it, without Airflow: its guard and its database are handed in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

from kafka_ferry.report.app import app


@contextmanager
def serving(overrides: Mapping[Callable[..., Any], Callable[..., Any]]) -> Iterator[str]:
    """:param overrides: in place of what the app depends on. Yields its address."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "dependency_overrides", dict(overrides))
        outer = FastAPI()
        outer.mount("/kafka-ferry", app)
        server = uvicorn.Server(uvicorn.Config(outer, host="127.0.0.1", port=0, log_level="warning"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        deadline = time.monotonic() + 60
        while not server.started:
            assert time.monotonic() < deadline, "the server does not start"
            time.sleep(0.05)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/kafka-ferry"
        server.should_exit = True
        thread.join(30)
