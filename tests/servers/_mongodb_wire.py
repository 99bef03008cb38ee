"""MongoDB's wire protocol, as much of it as a stand-in needs: OP_MSG, the handshake's OP_QUERY, SCRAM-SHA-256."""

import asyncio
import base64
import hashlib
import hmac
import secrets
import socket
import struct
from collections.abc import Mapping
from typing import Any

import bson
from bson.codec_options import DatetimeConversion

OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
ITERATIONS = 4096
_HEADER = struct.Struct("<iiii")
_MORE_TO_COME = 2
_CODEC = bson.CodecOptions(tz_aware=True, uuid_representation=4, datetime_conversion=DatetimeConversion.DATETIME_AUTO)

Document = dict[str, Any]


async def receive(reader: asyncio.StreamReader) -> tuple[int, int, Document, bool]:
    """The next message: its number, its kind, its document, and whether a reply is wanted."""
    length, number, _, kind = _HEADER.unpack(await reader.readexactly(16))
    if kind not in {OP_QUERY, OP_MSG}:
        raise EOFError  # it is no message, but say the beginning of a TLS handshake
    body = await reader.readexactly(length - 16)
    document, flags = parse(kind, body)
    return number, kind, document, not flags & _MORE_TO_COME


def parse(kind: int, body: bytes) -> tuple[Document, int]:
    if kind == OP_QUERY:
        name_end = body.index(b"\0", 4)
        return bson.decode(body[name_end + 9 :], _CODEC) | {"$db": "admin"}, 0
    assert kind == OP_MSG, f"a message of the kind {kind}"
    flags = struct.unpack_from("<I", body)[0]
    document: Document = {}
    at = 4
    while at < len(body):
        section, at = body[at], at + 1
        size = struct.unpack_from("<i", body, at)[0]
        if section == 0:
            document = bson.decode(body[at : at + size], _CODEC) | document
        else:
            name_end = body.index(b"\0", at + 4)
            name = body[at + 4 : name_end].decode()
            document[name] = bson.decode_all(body[name_end + 1 : at + size], _CODEC)
        at += size
    return document, flags


def reply(number: int, kind: int, document: Mapping[str, Any]) -> bytes:
    encoded = bson.encode(document, codec_options=_CODEC)
    if kind == OP_QUERY:
        body = struct.pack("<iqii", 8, 0, 0, 1) + encoded
        return _HEADER.pack(16 + len(body), 0, number, OP_REPLY) + body
    return message(encoded, number)


def message(encoded: bytes, answered: int = 0) -> bytes:
    body = struct.pack("<I", 0) + b"\0" + encoded
    return _HEADER.pack(16 + len(body), 1, answered, OP_MSG) + body


def ask(port: int, command: Mapping[str, Any], host: str = "127.0.0.1") -> Document:
    """The reply to one command, without a login."""
    with socket.create_connection((host, port), 5) as client, client.makefile("rb") as answers:
        client.sendall(message(bson.encode({**command, "$db": "admin"}, codec_options=_CODEC)))
        length, _, _, kind = _HEADER.unpack(answers.read(16))
        return parse(kind, answers.read(length - 16))[0]


class Scram:
    """The server's side of one login by SCRAM-SHA-256; `user` is known when `done`."""

    def __init__(self, passwords: Mapping[str, str]) -> None:
        self._passwords = passwords
        self._first = ""
        self._server_first = ""
        self.user: str | None = None
        self.done = False

    def step(self, payload: bytes) -> bytes | None:
        """What to say to the client; None when it is not let in."""
        return self._final(payload.decode()) if self._first else self._begin(payload.decode())

    def _begin(self, text: str) -> bytes | None:
        self._first = text.partition("n,,")[2]
        fields = dict(part.split("=", 1) for part in self._first.split(","))
        self.user = fields["n"].replace("=2C", ",").replace("=3D", "=")
        nonce = fields["r"] + secrets.token_urlsafe(12)
        salt = base64.b64encode(hashlib.sha256(self.user.encode()).digest()[:28]).decode()
        self._server_first = f"r={nonce},s={salt},i={ITERATIONS}"
        return self._server_first.encode()

    def _final(self, text: str) -> bytes | None:
        without_proof, _, proof = text.rpartition(",p=")
        password = self._passwords.get(self.user or "")
        if password is None:
            return None
        salt = hashlib.sha256((self.user or "").encode()).digest()[:28]
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
        stored = hashlib.sha256(_mac(salted, b"Client Key")).digest()
        all_said = ",".join((self._first, self._server_first, without_proof)).encode()
        key = bytes(a ^ b for a, b in zip(base64.b64decode(proof), _mac(stored, all_said), strict=True))
        if hashlib.sha256(key).digest() != stored:
            return None
        self.done = True
        return b"v=" + base64.b64encode(_mac(_mac(salted, b"Server Key"), all_said))


def _mac(key: bytes, text: bytes) -> bytes:
    return hmac.new(key, text, hashlib.sha256).digest()
