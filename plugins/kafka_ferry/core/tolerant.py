"""Types that refuse what they do not know when they are made, and leave it out when a file is read.

``model_validate(data, extra="ignore")`` of pydantic does the second from 2.12 on; Airflow 3.0 is pinned to 2.11.
"""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationInfo, model_validator

_READING = object()


class Tolerant(BaseModel):
    """Base. Parts of one that is read are read so, too, where they are of this base."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def read(cls, data: Any) -> Self:
        """One as it was written, perhaps by a later version, whose fields are left out.

        :raises ValidationError: it is none.
        """
        return cls.model_validate(data, context=_READING)

    @model_validator(mode="before")
    @classmethod
    def _leave_out(cls, data: Any, info: ValidationInfo) -> Any:
        if info.context is not _READING or not isinstance(data, dict):
            return data
        known = {name for field, about in cls.model_fields.items() for name in (field, about.alias)}
        return {name: value for name, value in data.items() if name in known}
