"""Types that refuse what they do not know when they are made, and leave it out when a file is read.

``model_validate(data, extra="ignore")`` of pydantic does the second from 2.12 on; Airflow 3.0 is pinned to 2.11.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Self, get_args

from pydantic import BaseModel, ConfigDict, ValidationInfo, model_validator

_READING = object()


class Tolerant(BaseModel):
    """Base. Parts of one that is read are read so, too, where they are of this base, or dataclasses in a list."""

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
        kept = {name: value for name, value in data.items() if name in known}
        for field, about in cls.model_fields.items():
            annotation: Any = about.annotation
            if (kind := _dataclass_in(annotation)) and isinstance(kept.get(field), list):
                kept[field] = [_known_to(kind, one) for one in kept[field]]
        return kept


@cache
def _dataclass_in(annotation: Any) -> type[Any] | None:
    """Of ``list[Finding] | None`` it is ``Finding``."""
    if isinstance(annotation, type) and is_dataclass(annotation):
        return annotation
    return next(filter(None, map(_dataclass_in, get_args(annotation))), None)


def _known_to(kind: type[Any], data: Any) -> Any:
    known = {field.name for field in fields(kind)}
    return {name: value for name, value in data.items() if name in known} if isinstance(data, dict) else data
