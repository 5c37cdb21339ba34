"""Ask AWS who we are to it, and try what jobs do there."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from kafka_ferry.compat import AirflowNotFoundException, BaseHook
from kafka_ferry.exceptions import BadConnection, FerryError
from kafka_ferry.hooks.objects.s3_connection import store_of
from kafka_ferry.hooks.objects.store import ObjectStore
from kafka_ferry.jobs.common.deployment import check_location
from kafka_ferry.jobs.connections.live.aws_service import ServiceHook
from kafka_ferry.jobs.connections.live.host import ask_host
from kafka_ferry.jobs.connections.live.question import Question
from kafka_ferry.jobs.connections.rules.answer import Answer
from kafka_ferry.jobs.connections.rules.aws import CALLS, CLUSTER_CALLS, Call, keys_refused, refused

_BYTES = b"Written by check_connections of Kafka Ferry. May be deleted.\n"


def ask_aws(question: Question, answer: Answer) -> None:
    """:raises FerryError: the connection cannot be used."""
    spec = question.spec
    extra = _extra(question.conn_id, answer)
    if not _identity(question, answer):
        return
    if spec.location:
        try:
            _try_location(question, answer, spec.location)
        except FerryError as error:
            answer.missing.append(keys_refused(error) or str(error))
    for call in [*(CLUSTER_CALLS if spec.cluster_arn else ()), *(one for name in spec.services for one in CALLS[name])]:
        _try_call(question, answer, call)
    if extra.get("instance_id"):
        ask_host(question, answer)
    if not answer.actual:
        answer.actual = "it has credentials"
        if not (spec.location or spec.cluster_arn or spec.services):
            answer.limits.append("nothing was asked of it. Fix: location, cluster_arn or services say what is used")


def _extra(conn_id: str, answer: Answer) -> dict[str, object]:
    try:
        return dict(BaseHook.get_connection(conn_id).extra_dejson)
    except AirflowNotFoundException:
        answer.notes.append("there is no such connection: the host's own credentials are used")
        return {}


def _identity(question: Question, answer: Answer) -> bool:
    """Who we are; whether there is any use in asking more."""
    hook = ServiceHook.of("sts", question)
    s3, sts = hook.endpoint("s3"), hook.endpoint("sts")
    hook.credentials()
    if s3 and not sts and not _is_aws(s3):
        answer.notes.append("its S3 is not that of AWS, so AWS was not asked whose keys these are")
        return True
    try:
        found = hook.call("get_caller_identity")
    except FerryError as error:
        if not error.retriable:
            answer.missing.append(keys_refused(error) or str(error))
            return False
        answer.limits.append(f"who it is could not be asked: {error}")
        return True
    answer.actual = f"account {found['Account']}"
    answer.notes.append(f"as {found['Arn']}")
    return True


def _is_aws(url: str) -> bool:
    return (urlsplit(url).hostname or "").endswith((".amazonaws.com", ".amazonaws.com.cn"))


def _try_location(question: Question, answer: Answer, location: str) -> None:
    """Write, read, list and delete one object.

    :raises FerryError: no such bucket, no answer, or a location that the deployment does not allow.
    """
    check_location(location)
    store, key = store_of(location, question.conn_id, question.spec.patience), question.probe
    listed = _allowed(answer, "s3:ListBucket", location, lambda: _has(store, key))
    written = _allowed(answer, "s3:PutObject", location, lambda: store.put(key, _BYTES))
    if not written:
        answer.notes.append("s3:GetObject and s3:DeleteObject were not tried: there is no object to try them on")
        return
    try:
        _allowed(answer, "s3:GetObject", location, lambda: _read(store, key))
        if listed and not _has(store, key):
            answer.missing.append(f"{location}: what was written is not listed. Fix: another server, or a later try")
    finally:
        if not _allowed(answer, "s3:DeleteObject", location, lambda: store.delete([key]), deleting=True):
            answer.missing.append(f"the object {location.rstrip('/')}/{key} was left. Fix: delete it")
    answer.notes.append(f"tried below {location}: s3:ListBucket, PutObject, GetObject, DeleteObject")


def _has(store: ObjectStore, key: str) -> bool:
    return any(True for _ in store.list(key))


def _read(store: ObjectStore, key: str) -> None:
    if store.get(key, len(_BYTES)) != _BYTES:
        raise FerryError(f"{store.location}: what was read is not what was written")


def _allowed(answer: Answer, action: str, where: str, work: Callable[[], object], *, deleting: bool = False) -> bool:
    """Whether an action works; one that is refused is named.

    :raises FerryError: it was not refused, but went wrong.
    """
    try:
        work()
    except BadConnection as error:
        if keys_refused(error):
            raise
        answer.missing.append(refused(action, where, error))
    except FerryError as error:
        # S3 answers a deletion with 200, and the refusal in its list of errors.
        if not deleting:
            raise
        answer.missing.append(refused(action, where, error))
    else:
        return True
    return False


def _try_call(question: Question, answer: Answer, call: Call) -> None:
    try:
        ServiceHook.of(call.service, question).call(call.operation, **call.arguments(question.spec.cluster_arn))
    except FerryError as error:
        answer.missing.append(refused(call.action, question.spec.cluster_arn if call.of_cluster else "*", error))
    else:
        answer.notes.append(f"tried {call.action}")
