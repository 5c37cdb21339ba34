"""librdkafka's C API, as far as a producer without confluent-kafka between needs it.

The library is the one that confluent-kafka brings: its symbols are found through the extension that is linked to it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

from confluent_kafka import cimpl
from llvmlite import binding

from kafka_ferry.core.redaction import is_secret_key, redact_text
from kafka_ferry.exceptions import BadConnection

lib = ctypes.CDLL(cimpl.__file__)
_pointer, _text, _int, _size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_size_t
ERROR_CB = ctypes.CFUNCTYPE(None, _pointer, _int, _text, _pointer)
DELIVERY_CB = ctypes.CFUNCTYPE(None, _pointer, _pointer, _pointer)
_SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "rd_kafka_conf_new": (_pointer, []),
    "rd_kafka_conf_destroy": (None, [_pointer]),
    "rd_kafka_conf_set": (_int, [_pointer, _text, _text, _text, _size]),
    "rd_kafka_conf_set_error_cb": (None, [_pointer, ERROR_CB]),
    "rd_kafka_conf_set_dr_msg_cb": (None, [_pointer, DELIVERY_CB]),
    "rd_kafka_new": (_pointer, [_int, _pointer, _text, _size]),
    "rd_kafka_destroy": (None, [_pointer]),
    "rd_kafka_topic_new": (_pointer, [_pointer, _text, _pointer]),
    "rd_kafka_topic_destroy": (None, [_pointer]),
    "rd_kafka_poll": (_int, [_pointer, _int]),
    "rd_kafka_flush": (_int, [_pointer, _int]),
    "rd_kafka_purge": (_int, [_pointer, _int]),
    "rd_kafka_outq_len": (_int, [_pointer]),
    "rd_kafka_topic_name": (_text, [_pointer]),
    "rd_kafka_err2str": (_text, [_int]),
}
for _name, (_result, _arguments) in _SIGNATURES.items():
    _function = getattr(lib, _name)
    _function.restype, _function.argtypes = _result, _arguments

for _name in (
    "rd_kafka_produceva",
    "rd_kafka_error_code",
    "rd_kafka_error_destroy",
    "rd_kafka_headers_new",
    "rd_kafka_headers_destroy",
    "rd_kafka_header_add",
):
    # Called by compiled loops, which find them by these names.
    binding.add_symbol(_name, ctypes.cast(getattr(lib, _name), ctypes.c_void_p).value)


_PRODUCER = 0  # rd_kafka_type_t


def open_producer(config: Mapping[str, Any], **callbacks: Any) -> Any:
    """A new ``rd_kafka_t``.

    :param config: whole librdkafka configuration; strings, numbers and booleans.
    :param callbacks: by the name in ``rd_kafka_conf_set_<name>``; the caller keeps them for as long as the handle.
    :raises BadConnection: librdkafka refuses a setting.
    """
    reason = ctypes.create_string_buffer(512)
    conf = lib.rd_kafka_conf_new()
    handle = None
    texts = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in config.items()}
    if all(not lib.rd_kafka_conf_set(conf, key.encode(), texts[key].encode(), reason, len(reason)) for key in texts):
        for name, callback in callbacks.items():
            getattr(lib, f"rd_kafka_conf_set_{name}")(conf, callback)
        handle = lib.rd_kafka_new(_PRODUCER, conf, reason, len(reason))
    if not handle:
        lib.rd_kafka_conf_destroy(conf)
        secrets = [text for key, text in texts.items() if is_secret_key(key)]
        problem = redact_text(reason.value.decode(errors="replace"), secrets)
        raise BadConnection(f"librdkafka refuses the connection's settings: {problem}")
    return handle
