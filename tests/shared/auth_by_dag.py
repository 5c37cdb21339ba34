"""An auth manager of Airflow with rights by DAG, which its simple one does not know: ``theirs…`` is admins' alone."""

from __future__ import annotations

from typing import Any

from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager


class AuthByDag(SimpleAuthManager):
    """Viewers may read all DAGs, but for those whose id begins with ``theirs``."""

    def is_authorized_dag(self, *, user: Any, details: Any = None, **asked: Any) -> bool:
        hidden = details is not None and str(details.id).startswith("theirs") and user.role != "admin"
        return not hidden and super().is_authorized_dag(user=user, details=details, **asked)
