"""Takes secrets out of texts: those of a topology wherever they occur, and those of any URL by its form."""

import re
from collections.abc import Collection
from itertools import chain, islice

from omnidb_cli.errors import CUT
from omnidb_cli.topology.secrets.secret import Secret

MASK = "***"

_SECRET_WORDS = r"password|passwd|passphrase|pwd|secret|token|credential|api_?key|scram_[a-z]+_key|mechanismproperties"  # noqa: S105
_SECRET_NAME = re.compile(_SECRET_WORDS, re.IGNORECASE)
_LOGIN = re.compile(r"(?<![\w+.-])[A-Za-z][\w+.-]*://[^\s/?#:@\"'<>]*:")
_TOKEN_END = re.compile(r"\s|\Z")
_QUOTED_END = re.compile(r"[\s\"'<>]|\Z")
_PARAMETER = re.compile(r"(?<![\w.-])([\w.-]+)\s?=\s?")
_VALUE = re.compile(r"(?!\*\*\*)(?:'[^']*'|\"[^\"]*\"|[^&\s;,'\"]+)")
_SHORT = 4
_FEW = 64


def is_secret_name(name: str) -> bool:
    """Whether a parameter of this name holds a secret: `password`, `sslpassword`, `auth_token` …"""
    return _SECRET_NAME.search(name) is not None


def redact_url(text: str) -> str:
    """The text with the passwords of the URLs in it and all secret-looking parameters as `***`.

    In time that grows with the text and no faster, whatever is in it: servers write such texts too.
    """
    if "://" in text and ("@" in text or text.endswith(CUT)):
        text = _without_passwords(text)
    return _without_secret_values(text) if "=" in text else text


def _without_passwords(text: str) -> str:
    kept: list[str] = []
    done = token_end = 0
    last_at = -1
    for login in _LOGIN.finditer(text):
        begin = login.end()
        if login.start() < done:
            continue
        if begin >= token_end:
            token_end = _TOKEN_END.search(text, begin).start()  # type: ignore[union-attr]  # it finds the end of the text
            last_at = text.rfind("@", begin, token_end)
        if last_at < begin and token_end == len(text) and text.endswith(CUT):
            kept += [text[done:begin], MASK]  # its @ was cut off
            done = token_end - len(CUT)
        if last_at < begin:
            continue
        at = text.rfind("@", begin, _QUOTED_END.search(text, begin).start())  # type: ignore[union-attr]
        at = last_at if at < 0 else at
        kept += [text[done:begin], MASK]
        done = at
    return "".join([*kept, text[done:]])


def _without_secret_values(text: str) -> str:
    kept: list[str] = []
    done = 0
    for name in _PARAMETER.finditer(text):
        begin = name.end()
        value = _VALUE.match(text, begin) if begin >= done and is_secret_name(name[1]) else None
        if value is not None:
            kept += [text[done:begin], MASK]
            done = value.end()
    return "".join([*kept, text[done:]])


class Redactor:
    """Replaces every given secret, in each form that it takes on in URLs, JSON and reprs, by `***`.

    It is for what servers, files and libraries say: our own words may well be somebody's password. Secrets of less
    than four characters are replaced as whole words only: anything else would eat the text. Of a text that was cut,
    what it ends with goes too, if a secret begins so. Secrets that are learned later count from then on.
    """

    def __init__(self, secrets: Collection[Secret]) -> None:
        self._secrets = secrets
        self._known = 0
        self._long: dict[str, list[str]] = {}
        self._beginnings: set[str] = set()
        self._longest = 0
        self._few: tuple[str, ...] = ()
        """All the long forms, where they are so few that asking for each is quicker than reading the text."""
        self._short: set[str] = set()
        self._short_words: re.Pattern[str] | None = None

    def __call__(self, text: str) -> str:
        if len(self._secrets) > self._known:
            self._learn()
        text = self._without_long(text)
        if text.endswith(CUT):
            text = self._without_beginning(text)
        if self._short_words is not None:
            text = self._short_words.sub(MASK, text)
        return redact_url(text)

    def _learn(self) -> None:
        """The forms of the secrets that have come since, by how they begin: a thousand take no longer to find than one.

        Of those that begin alike the longest goes first.
        """
        for secret in islice(self._secrets, self._known, None):
            for form in _forms(secret.reveal()):
                if len(form) < _SHORT:
                    self._short.add(form)
                    continue
                self._long.setdefault(form[:_SHORT], []).append(form)
                self._beginnings.update(form[:length] for length in range(1, _SHORT))
                self._longest = max(self._longest, len(form))
        self._known = len(self._secrets)
        for forms in self._long.values():
            forms.sort(key=len, reverse=True)
        every = tuple(chain.from_iterable(self._long.values()))
        self._few = every if len(every) <= _FEW else ()
        if short := sorted(self._short - {""}, key=len, reverse=True):
            self._short_words = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, short))})(?!\w)")

    def _without_long(self, text: str) -> str:
        if self._few and not any(map(text.__contains__, self._few)):
            return text
        kept: list[str] = []
        begin = done = 0
        while self._long and begin <= len(text) - _SHORT:
            forms = self._long.get(text[begin : begin + _SHORT], ())
            found = next((form for form in forms if text.startswith(form, begin)), None)
            if found is None:
                begin += 1
                continue
            kept += [text[done:begin], MASK]
            begin = done = begin + len(found)
        return "".join([*kept, text[done:]])

    def _without_beginning(self, text: str) -> str:
        """The cut text without the longest beginning of a secret that it ends with."""
        said = text.removesuffix(CUT)
        for begin in range(max(len(said) - self._longest + 1, 0), len(said)):
            if self._begins_one(said[begin:]):
                return said[:begin] + MASK + CUT
        return text

    def _begins_one(self, part: str) -> bool:
        if len(part) < _SHORT:
            return part in self._beginnings
        return any(form.startswith(part) for form in self._long.get(part[:_SHORT], ()))


def _forms(secret: str) -> set[str]:
    """The secret as it is, percent-encoded, and as JSON and `repr` would write it."""
    if secret.isascii() and secret.isalnum():
        return {secret}
    from json import dumps
    from urllib.parse import quote, quote_plus

    encoded = {quote(secret, safe=""), quote(secret), quote_plus(secret)}
    lower = {re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), form) for form in encoded}
    written = {dumps(secret)[1:-1], dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1], ascii(secret)[1:-1]}
    return {secret} | encoded | lower | written
