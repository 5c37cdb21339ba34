"""Template fields with secrets, which Airflow stores and shows after rendering."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from kafka_ferry.core.redaction import redact

if TYPE_CHECKING:
    import jinja2
    from airflow.sdk import Context


class MaskedFields(BaseOperator):
    """Keeps the secrets of some template fields out of what Airflow stores and shows after rendering.

    Airflow's own masker matches words in keys ("password") and would show ``sasl.jaas.config`` and
    ``ssl.keystore.key``. Mapped tasks are covered too. Put it before the other base class.

    :cvar masked: the names of those fields; mappings.
    """

    masked: tuple[str, ...] = ()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._templates: dict[str, Any] = {}
        self._rendered: dict[str, Any] = {}

    def secret_field(self, name: str) -> Any:
        """The rendered value with its secrets."""
        return self._rendered.get(name, getattr(self, name))

    def _do_render_template_fields(
        self,
        parent: Any,
        template_fields: Iterable[str],
        context: Context,
        jinja_env: jinja2.Environment,
        seen_oids: set[int],
    ) -> None:
        if parent is self:
            for name in self.masked:
                # Rendered a second time, it must not start from the masked one.
                setattr(self, name, self._templates.setdefault(name, getattr(self, name)))
        super()._do_render_template_fields(parent, template_fields, context, jinja_env, seen_oids)
        if parent is self:
            for name in self.masked:
                value = getattr(self, name)
                if isinstance(value, Mapping):
                    self._rendered[name] = value
                    setattr(self, name, redact(value))
