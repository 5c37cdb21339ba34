"""A double of Confluent Schema Registry: an HTTP server in this process, made by what Confluent documents of its API.

NOT the real thing, which cannot be had for tests: it knows what no registry of the stack knows (modes, contexts, ids
that the client gives), so what IMPORT needs is tried here; all else is tried on a real Apicurio. What it follows:

- mode of a subject or of all; IMPORT is refused where live versions are (42205) unless forced, and, not forced, removes
  deleted versions for good; a given id or version is taken in IMPORT alone, a registration without in READWRITE alone.
- an id that is in use in the context for another content: 42205. The same content gets the id it has in the context.
- compatibility of a subject: 40408 while there is none of its own (``defaultToGlobal`` answers that of all).
- contexts (``:.name:subject``) have ids of their own; ``GET /subjects`` lists all of them. A reference without a
  context means that of the schema that has it. Mode and compatibility of all count in the default one; a context has
  its own (``:.name:``).
- deleting is soft, then ``permanent``; ``deleted=true`` shows soft-deleted versions; an id of one still resolves.
- a reference that does not exist: 42201; a version that others refer to is not deleted: 42206.
- a GUID (``/schemas/guids/…``) is the MD5 of text and references, as in the registry's source (``Schema.updateHash``;
  metadata and rules, which this does not have, count there too), and is looked for in all contexts.
- an Avro schema comes back in Avro's own spelling (``{"type": "string"}`` as ``"string"``).
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

GLOBAL = ""


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass
class Version:
    """One version of a subject."""

    id: int
    schema: dict[str, Any]  # schema, schemaType, references
    deleted: bool = False


@dataclass
class RegistryDouble:
    """What the registry holds, and how it behaves.

    :param modes: whether it knows modes; without, as Apicurio 2.6 has it: 404.
    :param guids: whether it knows GUIDs, as Confluent's does since version 8.
    :param login: (name, password) that it asks for; ``token``: of a bearer.
    """

    modes: bool = True
    guids: bool = True
    login: tuple[str, str] | None = None
    token: str = ""
    subjects: dict[str, dict[int, Version]] = field(default_factory=dict)
    mode: dict[str, str] = field(default_factory=lambda: {GLOBAL: "READWRITE"})
    compatibility: dict[str, str] = field(default_factory=lambda: {GLOBAL: "BACKWARD"})
    requests: list[str] = field(default_factory=list)
    #: "METHOD /path" begins so: this many of such requests are answered with 503 (-1: all of them).
    faults: dict[str, int] = field(default_factory=dict)
    fault: str = "not now"
    #: Path to raw bytes that are answered in its place.
    raw: dict[str, bytes] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    url: str = ""

    # --- for tests ----------------------------------------------------------------------------------------------------

    def put(self, subject: str, schema: str, kind: str = "AVRO", references: Any = (), id: int = -1) -> int:
        """Register in passing, whatever the mode is; ``id``: to be given."""
        versions = self.subjects.setdefault(subject, {})
        content = self._content(subject, {"schema": schema, "schemaType": kind, "references": list(references)})
        number = id if id >= 0 else self._id_for(subject, content)
        versions[max(versions, default=0) + 1] = Version(number, content)
        return number

    # --- the API ------------------------------------------------------------------------------------------------------

    def answer(self, method: str, path: str, query: dict[str, str], body: dict[str, Any]) -> Any:
        """The JSON of an answer."""
        parts = [unquote(part) for part in path.strip("/").split("/")]
        match [method, *parts]:
            case [_, "subjects", *rest]:
                return self._of_subjects(method, rest, query, body)
            case ["GET", "schemas", "ids", number]:
                return _shown(self._by_id(int(number), query)[1].schema)
            case ["GET", "schemas", "guids", guid] if self.guids:
                return _shown(self._by_guid(guid).schema)
            case ["GET", "schemas", "ids", number, "versions"]:
                return self._uses(int(number), query)
            case ["GET", "contexts"]:
                return sorted({_context(subject) or "." for subject in (*self.subjects, "x")})
            case [_, "mode", *rest] if self.modes:
                return self._mode(method, rest[0] if rest else GLOBAL, query, body)
            case [_, "config", *rest]:
                return self._config(method, rest[0] if rest else GLOBAL, query, body)
        raise Refused(404, 404, "HTTP 404 Not Found")

    def _of_subjects(self, method: str, parts: list[str], query: dict[str, str], body: dict[str, Any]) -> Any:
        match [method, *parts]:
            case ["GET"]:
                return self._listed(query)
            case ["POST", subject, "versions"]:
                return {"id": self._register(subject, body)}
            case ["POST", subject]:
                return self._lookup(subject, body, query)
            case ["GET", subject, "versions"]:
                return self._versions(subject, query)
            case ["GET", subject, "versions", number]:
                found, version = self._version(subject, number, query)
                return {"subject": subject, "version": found, "id": version.id, **_shown(version.schema)}
            case ["DELETE", subject]:
                return self._delete(subject, list(self.subjects.get(subject, {})), query)
            case ["DELETE", subject, "versions", number]:
                return self._delete(subject, [self._version(subject, number, {"deleted": "true"})[0]], query)[0]
        raise Refused(404, 404, "HTTP 404 Not Found")

    def _listed(self, query: dict[str, str]) -> list[str]:
        deleted = query.get("deleted") == "true"
        return [
            subject
            for subject, versions in self.subjects.items()
            if any(deleted or not version.deleted for version in versions.values())
        ]

    def _seen(self, subject: str, query: dict[str, str]) -> dict[int, Version]:
        deleted = query.get("deleted") == "true"
        found = {n: v for n, v in sorted(self.subjects.get(subject, {}).items()) if deleted or not v.deleted}
        if not found:
            raise Refused(404, 40401, f"Subject '{subject}' not found.")
        return found

    def _versions(self, subject: str, query: dict[str, str]) -> list[int]:
        return list(self._seen(subject, query))

    def _version(self, subject: str, number: str, query: dict[str, str]) -> tuple[int, Version]:
        seen = self._seen(subject, query)
        wanted = max(seen) if number == "latest" else int(number)
        if wanted not in seen:
            raise Refused(404, 40402, f"Version {number} not found.")
        return wanted, seen[wanted]

    def _by_id(self, number: int, query: dict[str, str]) -> tuple[str, Version]:
        context = _context(query.get("subject", ""))
        for subject, versions in self.subjects.items():
            for version in versions.values():
                if version.id == number and _context(subject) == context:
                    return subject, version
        raise Refused(404, 40403, f"Schema {number} not found")

    def _by_guid(self, guid: str) -> Version:
        for versions in self.subjects.values():
            for version in versions.values():
                if guid_of(version) == guid:
                    return version
        raise Refused(404, 40403, f"Schema {guid} not found")

    def _uses(self, number: int, query: dict[str, str]) -> list[dict[str, Any]]:
        self._by_id(number, query)
        deleted = query.get("deleted") == "true"
        return [
            {"subject": subject, "version": n}
            for subject, versions in self.subjects.items()
            for n, version in versions.items()
            if version.id == number and (deleted or not version.deleted)
        ]

    def _content(self, subject: str, body: dict[str, Any]) -> dict[str, Any]:
        kind, text = body.get("schemaType") or "AVRO", body["schema"]
        if kind in ("AVRO", "JSON"):
            try:
                value = json.loads(text)
            except ValueError:
                raise Refused(422, 42201, f"Invalid schema {text}") from None
            value = value["type"] if kind == "AVRO" and isinstance(value, dict) and set(value) == {"type"} else value
            text = json.dumps(value, separators=(",", ":"))
        references = [dict(one) for one in body.get("references") or []]
        for one in references:
            if self.subjects.get(_referred_to(one, subject), {}).get(one["version"]) is None:
                raise Refused(422, 42201, f"No schema reference found for subject {one['subject']!r}")
        return {"schema": text, "schemaType": kind, "references": references}

    def _id_for(self, subject: str, content: dict[str, Any]) -> int:
        context = _context(subject)
        own = [v for s, versions in self.subjects.items() if _context(s) == context for v in versions.values()]
        known = [version.id for version in own if version.schema == content]
        return known[0] if known else max((version.id for version in own), default=0) + 1

    def _register(self, subject: str, body: dict[str, Any]) -> int:
        mode = _in_scope(self.mode, subject, "READWRITE")
        wanted, number = int(body.get("id", -1)), int(body.get("version", -1))
        content = self._content(subject, body)
        versions = self.subjects.get(subject, {})
        for version in versions.values():
            if version.schema == content and not version.deleted and wanted in (-1, version.id):
                return version.id
        if mode.startswith("READONLY"):
            raise Refused(422, 42205, f"Subject {subject} is in read-only mode")
        if (wanted >= 0 or number > 0) and mode != "IMPORT":
            raise Refused(422, 42205, f"Subject {subject} is not in import mode")
        if wanted < 0 and mode != "READWRITE":
            raise Refused(422, 42205, f"Subject {subject} is not in read-write mode")
        if wanted >= 0:
            self._check_free(subject, wanted, content)
        elif self._is_incompatible(subject, content):
            raise Refused(409, 409, f"Schema being registered is incompatible with an earlier schema of {subject!r}")
        made = Version(wanted if wanted >= 0 else self._id_for(subject, content), content)
        self.subjects.setdefault(subject, {})[number if number > 0 else max(versions, default=0) + 1] = made
        return made.id

    def _check_free(self, subject: str, wanted: int, content: dict[str, Any]) -> None:
        try:
            _, there = self._by_id(wanted, {"subject": subject})
        except Refused:
            return
        if there.schema != content:
            raise Refused(422, 42205, f"Overwrite new schema with id {wanted} is not permitted.")

    def _is_incompatible(self, subject: str, content: dict[str, Any]) -> bool:
        """Of all that compatibility is, the one thing that tests need: a type other than that of the last version."""
        level = _in_scope(self.compatibility, subject, "BACKWARD")
        live = [version for _, version in sorted(self.subjects.get(subject, {}).items()) if not version.deleted]
        if level == "NONE" or not live or content["schemaType"] != "AVRO":
            return False
        return bool(_kind(live[-1].schema["schema"]) != _kind(content["schema"]))

    def _lookup(self, subject: str, body: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
        content = self._content(subject, body)
        for number, version in self._seen(subject, query).items():
            if version.schema == content:
                return {"subject": subject, "version": number, "id": version.id, **_shown(content)}
        raise Refused(404, 40403, "Schema not found")

    def _delete(self, subject: str, numbers: list[int], query: dict[str, str]) -> list[int]:
        if not numbers:
            raise Refused(404, 40401, f"Subject '{subject}' not found.")
        for parent, versions in self.subjects.items():
            for version in versions.values():
                for one in version.schema["references"]:
                    if _referred_to(one, parent) == subject and one["version"] in numbers and not version.deleted:
                        raise Refused(422, 42206, f"One or more references exist to the schema of {subject!r}")
        for number in numbers:
            if query.get("permanent") == "true":
                if not self.subjects[subject][number].deleted:
                    raise Refused(404, 40407, f"Subject '{subject}' Version {number} was not deleted first")
                del self.subjects[subject][number]
            else:
                self.subjects[subject][number].deleted = True
        return numbers

    def _mode(self, method: str, subject: str, query: dict[str, str], body: dict[str, Any]) -> dict[str, str]:
        if method == "PUT":
            wanted = body["mode"]
            if wanted not in ("READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT"):
                raise Refused(422, 42204, "Invalid mode")
            if wanted == "IMPORT" and self.mode.get(subject) != "IMPORT" and query.get("force") != "true":
                chosen = [name for name in self.subjects if subject in (GLOBAL, name)]
                if any(not version.deleted for name in chosen for version in self.subjects[name].values()):
                    raise Refused(422, 42205, "Cannot import since found existing subjects")
                for name in chosen:  # for good
                    del self.subjects[name]
            self.mode[subject] = wanted
            return {"mode": wanted}
        return self._setting(self.mode, "mode", 40409, method, subject, query)

    def _config(self, method: str, subject: str, query: dict[str, str], body: dict[str, Any]) -> dict[str, str]:
        if method == "PUT":
            self.compatibility[subject] = body["compatibility"]
            return {"compatibility": body["compatibility"]}
        return self._setting(self.compatibility, "compatibilityLevel", 40408, method, subject, query)

    def _setting(
        self, values: dict[str, str], key: str, code: int, method: str, subject: str, query: dict[str, str]
    ) -> dict[str, str]:
        if subject not in values and (method == "DELETE" or query.get("defaultToGlobal") != "true"):
            raise Refused(404, code, f"Subject '{subject}' does not have subject-level {key} configured")
        value = _in_scope(values, subject, "READWRITE" if key == "mode" else "BACKWARD")
        if method == "DELETE":
            values.pop(subject)
        return {key: value}


def guid_of(version: Version) -> str:
    """As the registry makes it."""
    made = hashlib.md5(version.schema["schema"].encode(), usedforsecurity=False)
    for one in version.schema["references"]:
        made.update(f"{one['name']}{one['subject']}".encode() + int(one["version"]).to_bytes(4))
    return str(UUID(bytes=made.digest()))


def _context(subject: str) -> str:
    return subject.split(":")[1] if subject.startswith(":.") else ""


def _in_scope(values: dict[str, str], subject: str, default: str) -> str:
    """What counts for a subject (``InMemoryCache.mode``): that of all counts in the default context alone."""
    context = _context(subject)
    return values.get(subject) or (values.get(f":{context}:", default) if context else values[GLOBAL])


def _referred_to(reference: dict[str, Any], parent: str) -> str:
    """The subject, qualified (``QualifiedSubject.qualifySubjectWithParent``)."""
    named, context = str(reference["subject"]), _context(parent)
    return f":{context}:{named}" if context and not _context(named) else named


def _kind(schema: str) -> str:
    value = json.loads(schema)
    return str(value["type"] if isinstance(value, dict) else value)


def _shown(schema: dict[str, Any]) -> dict[str, Any]:
    """Confluent names neither the type of an Avro schema nor references that there are none of."""
    shown = {"schema": schema["schema"]}
    if schema["schemaType"] != "AVRO":
        shown["schemaType"] = schema["schemaType"]
    return shown | ({"references": schema["references"]} if schema["references"] else {})


@contextmanager
def serving(registry: RegistryDouble) -> Iterator[RegistryDouble]:
    """The double as a server on 127.0.0.1; its ``url`` is set."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            asked = urlsplit(self.path)
            asked = asked._replace(path=asked.path.removeprefix("/apis/ccompat/v7"))  # where Apicurio has it
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size) or b"{}")
            query = {key: values[-1] for key, values in parse_qs(asked.query, keep_blank_values=True).items()}
            with registry.lock:
                registry.requests.append(f"{self.command} {self.path}")
                try:
                    self._check_login()
                    self._fail(f"{self.command} {asked.path}")
                    answer: Any = registry.raw.get(asked.path)
                    if answer is None:
                        answer = registry.answer(self.command, asked.path, query, body)
                    status = 200
                except Refused as refused:
                    status, answer = refused.status, {"error_code": refused.code, "message": refused.message}
            data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = _serve

        def _check_login(self) -> None:
            given = self.headers.get("Authorization", "")
            basic = base64.b64encode(":".join(registry.login).encode()).decode() if registry.login else ""
            if (basic and given != f"Basic {basic}") or (registry.token and given != f"Bearer {registry.token}"):
                raise Refused(401, 401, "Unauthorized")

        def _fail(self, asked: str) -> None:
            for start, left in registry.faults.items():
                if left and asked.startswith(start):
                    registry.faults[start] = left - 1
                    raise Refused(503, 50301, registry.fault)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    registry.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
