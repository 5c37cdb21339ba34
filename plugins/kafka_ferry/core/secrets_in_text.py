"""Secrets in texts of the outside world (errors, logs, configs, URLs): what is said of a secret name is masked.

A text is walked through once, from left to right; every pattern is bounded or possessive, so that the time grows with
the length of the text alone. Where a text can be read in two ways, more is masked rather than less.
"""

from __future__ import annotations

import base64
import binascii
import functools
import re
from collections.abc import Iterator

MASK = "***"

_QUOTE = r"(?:\\*+[\"'`]|\\{1,4}u002[27]|&quot;|&\#3[49];|%2[27])"
_BLANK = r"[ \t\xa0]"
#: A name, maybe quoted, and what stands between it and its value.
_NAMED = re.compile(
    rf"""(?<![\w.\-])(?P<name>[\w.\-]++)
    (?: (?: (?P<close>{_QUOTE}) (?: \s{{0,200}}+ (?=:) )? )?+ \]?+ {_BLANK}*+
        (?P<sign> => | -> | := | == | [=:] | %3[ADad] | &\#61; | [\uff1d\uff1a] )
        (?: {_BLANK}*+ (?: \\?\r?\n \s{{0,200}}+ (?=["']) )? )
      | (?P<pair>{_QUOTE})[ \t]*+,[ \t]*+(?={_QUOTE})
      | (?P<blank>[ \t]++)(?=\S)
    )""",
    re.ASCII | re.VERBOSE,
)
#: What is secret by its last words, without marks between them.
_ENDS = (
    "password", "passwd", "passphrase", "passcode", "passwort", "kennwort", "pwd", "secret",
    "token", "credential", "credentials", "secretkey",
    "accesskey", "accesskeyid", "apikey", "privatekey", "accountkey", "sharedkey", "storagekey", "signingkey",
    "encryptionkey", "customerkey", "masterkey", "keystorekey", "sslkey", "keypem", "secretstring", "secretbinary",
    "secretvalue",
    "authorization", "cookie", "cookies", "amzsignature", "amzcredential", "sharedaccesssignature", "userinfo",
    "googleaccessid",
)  # fmt: skip
_QUALIFIER = re.compile(
    r"(?<=[a-z])(?:[_.]?(?:old|new|prod|dev|test|stage|staging|primary|secondary|hash|value|plain|text|base64|b64|enc|"
    r"encrypted|current|previous|source|target|[0-9]{1,3}))$"
)
_HEADERS = ("authorization", "cookie")
#: Words of their own only, as they stand in others too (``compass``, ``pass: 12``).
_WORDS = frozenset({"sig", "pw", "sas"})
_WORDS_AFTER_OTHERS = frozenset({"pass"})
#: Of a URL's query.
_IN_QUERIES = frozenset({"key", "code", "auth", "session", "sessionid", "ticket"})
_BEFORE_KEY = re.compile(r"(?i)(?:access|secret|private|api|account|shared|encryption|signing)[ _-]$")
_REFERENCES = re.compile(r"(?:\$\{[^}:\s]{1,200}:(?!-)[^}]{1,500}\}[ ,;]*+)++")
#: What a sentence says of a secret ("sasl.password: missing"), or no secret at all.
_SAYS = frozenset((
    "missing", "is", "are", "was", "were", "not", "must", "cannot", "can", "no", "has", "have", "had", "a", "an",
    "the", "given", "invalid", "expired", "unknown", "required", "wrong", "too", "does", "do", "only", "this", "that",
    "it", "its", "one", "each", "every", "any", "all", "there", "neither", "both", "write", "remove", "leave", "keep",
    "use", "see", "from", "for", "in", "of", "on", "to", "by", "at", "with", "without", "and", "or", "if", "when",
    "where", "contradicts", "beside", "param", "default", "optional", "masked", "redacted", "hidden", "failed",
    "refused", "denied", "found", "absent", "never",
))  # fmt: skip
_NOTHING = frozenset({"null", "none", "true", "false", "nil", "undefined", "***", "[hidden]"})
_FIRST_WORD = re.compile(r"[^\s,;.:&\"'<>)}\]]*+")
_TOLD = re.compile(r"[\w.\-]{1,200}", re.ASCII)
_LINE_BEGINS = re.compile(r"(?:\n|\A)[ \t]*(?:(?:export|set|ENV|-)[ \t]+)?\Z")
_COUNT = re.compile(r"(?:[0-9]{1,5}|[0-9]{1,3}(?:,[0-9]{3}){1,5})[ \t]+[A-Za-z(=/]")
# A comma, semicolon or bracket may be part of a password; it ends one where another name, or nothing, follows.
_BARE = re.compile(
    r"(?:\\\r?\n[ \t]*+|\\.|[^\s\\,;&\"'<>)}\]]|[,;](?![\s,;]|[\w.\-]{1,60}[=:]|$)|"
    r"&(?![\w.\-%]{1,60}=|amp;|quot;|\#|\s|$)|[\"'<>)}\]](?![\s,;:.&)}\]\"'<>\\]|$))*+",
    re.ASCII | re.DOTALL,
)
_LINE = re.compile(r"(?:\\(?:\r?\n|.)|[^\s\\]|[ \t]++(?![\w.\-]{1,60}[=:]|$))*+", re.ASCII | re.MULTILINE)
_HEADER = re.compile(r"(?:[^\r\n\"'\\=]|=(?:\"[^\"\r\n]*+\")?)*+")
_BLOCK = re.compile(r"[|>][0-9+\-]{0,2}[ \t]*(?:#[^\n]*)?\r?\n(?P<lines>(?:[ \t]++[^\n]*+(?:\n|\Z)|[ \t]*\n)++)")
_NESTED = re.compile(r"[{\[(][^{}\[\]()]{0,2000}[}\])]")
_OPENS = re.compile(_QUOTE)
_STOPS_AFTER_QUOTE = re.compile(r"[\s,;:.&)}\]<>\\/]|\Z")

_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----.*?"
    r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----|\Z)",
    re.DOTALL,
)
_AFTER_SCHEMES = re.compile(r"//(?:[^\s\"'<>]|[\"'](?![\s,;:)}\]]|\Z))++")
#: The same as part of another URL.
_ENCODED_LOGIN = re.compile(r"(?i)(?<=%3A%2F%2F)(?:[^\s\"'<>&%]|%(?!40|2F|3F)[0-9A-F]{2}){1,400}+(?=%40)")
_LOGIN = re.compile(r"[^/?#@:]{0,200}:|[^/?#@:]{20,200}\Z")
#: ``user:password@host`` of a tool that needs no scheme.
_BARE_LOGIN = re.compile(r"(?<![\w/@.:\-])([A-Za-z][\w.+\-]{0,60}+:)[^\s/@:\"'<>]{1,200}+(?=@[A-Za-z0-9\[])", re.ASCII)
_ORACLE = re.compile(r"(?i)(?<=jdbc:oracle:)(\w{2,8}:)[^\s/@:]{1,100}/[^\s@]{1,200}(?=@)")
_ATTRIBUTE = re.compile(
    r"<[\w:.\-]{1,100}\s[^<>]{0,200}?\b(?:key|name|id)=[\"'](?P<name>[\w.\-]{1,100})[\"'][^<>]{0,200}>(?P<value>[^<]{1,10000})(?=</)",
    re.ASCII,
)
_ELEMENT = re.compile(r"<(?:\w{1,40}:)?(?P<name>[\w.\-]{1,100})>(?P<value>[^<]{1,10000})(?=</)", re.ASCII)
_BY_FORM = re.compile(
    r"\beyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]*+)?"  # a JSON web token
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}+|\bgithub_pat_\w{30,}+|\bglpat-[\w-]{18,}+"
    r"|\b(?:xox[abeprs]|xapp)-[A-Za-z0-9-]{10,}+|\b[sr]k_live_\w{16,}+|\bsk-(?:ant|proj)-[\w-]{16,}+|\bAIza[\w-]{35}"
    r"|\bhv[sbr]\.[\w-]{20,}+|\bnpm_[A-Za-z0-9]{30,}+|\bSG\.[\w-]{16,}+\.[\w-]{16,}+|\bdo[opr]_v1_\w{20,}+"
    r"|\bAGE-SECRET-KEY-1[A-Z0-9]{20,}+|(?<=hooks\.slack\.com/services/)[\w/]{10,}+"
)
_SAID = re.compile(
    r"(?i)(?P<said>\bBearer[ \t]+"
    r"|\bIDENTIFIED[ \t]+(?:BY|(?:WITH|VIA)[ \t]+\S{1,40}[ \t]+(?:BY|AS|USING))[ \t]+(?:PASSWORD[ \t]+)?"
    r"|\bPASSWORD[ \t]*\([ \t]*(?=['\"])|\blogin[ \t]+\S{1,100}[ \t]+password[ \t]+"
    r"|(?:^|\s)(?:-u|--user)[ =]\S{1,100}?:"
    r"|\b(?:mysql|mariadb)[\w-]{0,20}[ \t][^|;&\n]{0,200}?(?<=[ \t])-p(?=\S))"
    r"(?P<value>'(?:[^'\\]|\\.|'')*+'|\"(?:[^\"\\]|\\.)*+\"|[^\s'\",;)]++)"
)
_BASIC = re.compile(r"(?i)\b(Basic[ \t]+)([A-Za-z0-9+/]{4,2000}+={0,2})")


def masked(text: str) -> str:
    """The text with ``***`` for everything that reads as a secret."""
    text = _PRIVATE_KEY.sub(MASK, text)
    text = _BARE_LOGIN.sub(rf"\1{MASK}", text)
    text = _BY_FORM.sub(MASK, _ORACLE.sub(rf"\1{MASK}", _AFTER_SCHEMES.sub(_without_logins, text)))
    text = _ATTRIBUTE.sub(_element, _ELEMENT.sub(_element, _ENCODED_LOGIN.sub(MASK, text)))
    text = _SAID.sub(_said, text)
    return _BASIC.sub(_basic, "".join(_walk(text)))


@functools.lru_cache(4096)
def is_secret_name(name: str) -> bool:
    """Whether what a text calls by this name is a secret: by its last words, in any spelling (``dbPassword``,
    ``DB_PASSWORD``, ``db.password``); ``password-resets`` and ``tokens`` are none."""
    lower = name.lower().strip(".-_")
    words = re.split(r"[._-]", lower)
    if words[-1] in _WORDS or (words[-1] in _WORDS_AFTER_OTHERS and len(words) > 1):
        return True
    return any(re.sub(r"[._-]", "", one).endswith(_ENDS) for one in (lower, _QUALIFIER.sub("", lower)))


def _walk(text: str) -> Iterator[str]:
    at, value_is_secret = 0, False
    for found in _NAMED.finditer(text):
        if found.start() < at:  # inside of a value that was masked
            continue
        name = found["name"]
        if found.start() and text[found.start() - 1] == "\\" and name[0] in "nrt":
            name = name[1:]  # after a line break, escaped
        lower = name.lower()
        secret = _is_secret(text, found, name)
        if lower in ("name", "key") and not secret:  # {"name": "db.password", "value": "…"}
            opened = _OPENS.match(text, found.end())
            told = _TOLD.match(text, opened.end() if opened else found.end())
            value_is_secret = told is not None and is_secret_name(told[0])
        elif lower == "value" and value_is_secret:
            secret, value_is_secret = True, False
        end, shown = _value(text, found, name) if secret else (found.end(), "")
        if end > found.end():
            yield text[at : found.end()]
            yield shown
            at = end
    yield text[at:]


def _is_secret(text: str, found: re.Match[str], name: str) -> bool:
    if found["pair"]:
        before = text[max(0, found.start() - 8) : found.start()].rstrip("\\\"'`")
        return before.endswith("(") and is_secret_name(name)
    if found["blank"]:
        if name.startswith("-"):  # an option of a command
            return is_secret_name(name) and text[found.end()] != "-"
        lower = name.lower()
        return lower.endswith(("password", "passwd", "passphrase")) and text[found.end()] in "\"'`"
    lower = name.lower()
    if lower in ("key", "id", "key.id") and _BEFORE_KEY.search(text, max(0, found.start() - 12), found.start()):
        return True
    if lower == "pass":
        return found["sign"] == "=" and not text[found.end() : found.end() + 1].isdigit()  # ``pass=12 fail=3``
    if lower.endswith("passwords"):
        return text[found.end() : found.end() + 1] in ("[", "{", "(", '"', "'")  # no number of them
    if lower in _IN_QUERIES and found.start() and text[found.start() - 1] in "?&":
        return True
    return (lower == "signature" and found["sign"] == "=") or is_secret_name(name)


def _value(text: str, found: re.Match[str], name: str) -> tuple[int, str]:
    """Where the value ends, and what is shown in its place; where it begins when it is to stay."""
    at = found.end()
    reference = _REFERENCES.match(text, at)
    if reference and (_STOPS_AFTER_QUOTE.match(text, reference.end()) or text[reference.end()] in "\"'"):
        return at, ""
    if opened := _OPENS.match(text, at):
        return _quoted(text, opened)
    if found["sign"] == ":" and (block := _BLOCK.match(text, at)):
        return block.end(), f"{MASK}\n"
    if nested := _NESTED.match(text, at):
        return nested.end(), MASK
    return _bare(text, found, name)


def _quoted(text: str, opened: re.Match[str]) -> tuple[int, str]:
    quote, begin = opened[0], opened.end()
    end = _end_of_quote(text, quote, begin)
    content = text[begin : end - len(quote)]
    if end < len(text) and text[end] in "\"'" and quote in "\"'":
        while end < len(text) and text[end] in "\"'":  # 'it'"'"'s', as a shell takes it
            end = _end_of_quote(text, text[end], end + 1)
    elif not content or _REFERENCES.fullmatch(content) or content.lower() in _NOTHING:
        return opened.start(), ""
    if quote in "\"'" and not _STOPS_AFTER_QUOTE.match(text, end):
        end = _end(_BARE, text, end)
    return end, f"{quote}{MASK}{quote}"


def _end_of_quote(text: str, quote: str, begin: int) -> int:
    """Behind the closing one; of a text that was cut, its end."""
    closed = _closing(quote).search(text, begin)
    return closed.end() if closed else len(text)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


@functools.lru_cache(64)
def _closing(quote: str) -> re.Pattern[str]:
    if len(quote) == 1:
        return re.compile(rf"(?:[^{quote}\\]|\\.)*+(?:{quote}|\Z)", re.DOTALL)
    return re.compile(rf"(?<!\\){re.escape(quote)}")


def _bare(text: str, found: re.Match[str], name: str) -> tuple[int, str]:
    at = found.end()
    word = text[at : _end(_FIRST_WORD, text, at)].lower()
    says = found["sign"] == ":" and (word in _SAYS or _COUNT.match(text, at))
    if word in _NOTHING or says:
        return at, ""
    if name.lower().endswith(_HEADERS):
        end = _end(_HEADER, text, at)
    elif found["sign"] in ("=", ":") and _LINE_BEGINS.search(text, max(0, found.start() - 40), found.start()):
        end = max(_end(_LINE, text, at), _end(_BARE, text, at))
    else:
        end = _end(_BARE, text, at)
    return end, MASK


def _without_logins(found: re.Match[str]) -> str:
    """Of ``//user:password@host``, maybe several in a row; a password may have any mark in it, ``@`` too."""
    parts = found[0].split("//")
    for number, part in enumerate(parts):
        login, at, host = part.rpartition("@")
        if at and _LOGIN.match(login):
            parts[number] = f"{MASK}@{host}"
    return "//".join(parts)


def _element(found: re.Match[str]) -> str:
    return found[0].replace(found["value"], MASK) if is_secret_name(found["name"]) else found[0]


def _said(found: re.Match[str]) -> str:
    value = found["value"]
    if value.lower() in _SAYS or (found["said"].lower().startswith("bearer") and len(value) < 8):
        return found[0]
    quote = value[0] if value[0] in "'\"" else ""
    return f"{found['said']}{quote}{MASK}{quote}"


def _basic(found: re.Match[str]) -> str:
    try:
        plain = base64.b64decode(found[2] + "=" * (-len(found[2]) % 4))
    except binascii.Error:
        return found[0]
    return f"{found[1]}{MASK}" if b":" in plain else found[0]
