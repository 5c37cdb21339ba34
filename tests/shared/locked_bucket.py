"""A double of a bucket with object lock, in memory behind boto3's own client. Not S3.

What is asked and answered is held against botocore's model of S3: an argument or a field that S3 has not fails the
test. It does what S3's user guide says ("How S3 Object Lock works", "Deleting object versions"): each PUT makes a
version, which gets the bucket's default retention; a deletion that names no version puts a marker over it and is never
refused by a lock; who may not see retention (s3:GetObjectRetention) finds no lock at an object.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError
from botocore.response import StreamingBody
from botocore.validate import ParamValidator

PROTECTED = "Access Denied because object protected by object lock."


class LockedBucket:
    """``LockedBucket(store._client)`` takes the client's place of a server.

    :param mode: of the default retention, for so many ``days``; None: there is no lock on the bucket.
    :ivar keeps_versions: False: as a store that keeps none (Versity's gateway): a locked object is neither deleted nor
        replaced, "Access Denied because object protected by object lock." (github.com/versity/versitygw/issues/1567).
    :ivar shows_locks: False: to a user without the right to see them.
    :ivar denied: keys that a policy does not let go. ``calls``: names of operations, in order.
    """

    def __init__(self, client: Any, mode: str | None = "COMPLIANCE", days: float = 30) -> None:
        self.model, self.mode, self.days = client.meta.service_model, mode, days
        self.versions: dict[str, list[dict[str, Any] | None]] = {}  # None is a marker
        self.keeps_versions, self.shows_locks = True, True
        self.denied, self.calls = set[str](), list[str]()
        client._make_api_call = self._call

    def hold(self, key: str, status: str = "ON") -> None:
        self._current(key)["hold"] = status

    def pass_days(self, days: float) -> None:
        """All that is there becomes so much older."""
        for versions in self.versions.values():
            for one in versions:
                if one and one["until"]:
                    one["until"] -= timedelta(days=days)

    def _call(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        known, self.calls = self.model.operation_model(operation), [*self.calls, operation]
        self._check(asked, known.input_shape)
        answer: dict[str, Any] = getattr(self, operation)(asked)
        self._check({name: value for name, value in answer.items() if name != "Body"}, known.output_shape)
        return answer

    @staticmethod
    def _check(given: dict[str, Any], shape: Any) -> None:
        report = ParamValidator().validate(given, shape)
        if report.has_errors():
            raise ParamValidationError(report=report.generate_report())

    def _current(self, key: str) -> dict[str, Any]:
        found = self.versions.get(key, [None])[-1]
        if found is None:
            self._refuse("NoSuchKey", 404)
        assert found
        return found

    @staticmethod
    def _refuse(code: str, status: int, message: str = "") -> None:
        raise ClientError(
            {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Double"
        )

    @staticmethod
    def _is_locked(one: dict[str, Any] | None) -> bool:
        return bool(one and (one["hold"] == "ON" or (one["until"] and one["until"] > datetime.now(UTC))))

    def PutObject(self, asked: dict[str, Any]) -> dict[str, Any]:
        there = self.versions.setdefault(asked["Key"], [])
        if not self.keeps_versions:
            if there and self._is_locked(there[-1]):
                self._refuse("AccessDenied", 403, PROTECTED)
            there.clear()
        until = datetime.now(UTC) + timedelta(days=self.days) if self.mode else None
        there.append({"data": bytes(asked["Body"]), "until": until, "hold": None})
        return {"VersionId": str(len(there))}

    def GetObject(self, asked: dict[str, Any]) -> dict[str, Any]:
        data = self._current(asked["Key"])["data"]
        return {"Body": StreamingBody(io.BytesIO(data), len(data)), "ContentLength": len(data)}

    def HeadObject(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = self._current(asked["Key"])
        lock = {
            "ObjectLockMode": self.mode if found["until"] else None,
            "ObjectLockRetainUntilDate": found["until"],
            "ObjectLockLegalHoldStatus": found["hold"],
        }
        shown = {name: value for name, value in lock.items() if value and self.shows_locks}
        return {"ContentLength": len(found["data"]), **shown}

    def ListObjectsV2(self, asked: dict[str, Any]) -> dict[str, Any]:
        there = {key: versions[-1] for key, versions in sorted(self.versions.items()) if versions}
        return {
            "Contents": [
                {"Key": key, "Size": len(one["data"])}
                for key, one in there.items()
                if one and key.startswith(asked["Prefix"])
            ]
        }

    def DeleteObjects(self, asked: dict[str, Any]) -> dict[str, Any]:
        errors = []
        for key in (one["Key"] for one in asked["Delete"]["Objects"]):
            there = self.versions.get(key, [])
            if key in self.denied:
                errors.append({"Key": key, "Code": "AccessDenied", "Message": "Access Denied"})
            elif not self.keeps_versions and there and self._is_locked(there[-1]):
                errors.append({"Key": key, "Code": "AccessDenied", "Message": PROTECTED})
            elif self.keeps_versions and self.mode:
                self.versions[key] = [*there, None]
            else:
                self.versions.pop(key, None)
        return {"Errors": errors} if errors else {}

    def GetObjectLockConfiguration(self, asked: dict[str, Any]) -> dict[str, Any]:
        if self.mode is None:
            self._refuse("ObjectLockConfigurationNotFoundError", 404, "Object Lock configuration does not exist")
        return {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}
