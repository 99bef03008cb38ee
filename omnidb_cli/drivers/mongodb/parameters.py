"""What a MongoDB connection string may say: the options that pymongo takes in one, in upper or lower case.

https://www.mongodb.com/docs/manual/reference/connection-string-options/
"""

from collections.abc import Iterator

from omnidb_cli.topology.urls.parameters import (
    Asked,
    Form,
    Parameter,
    Parameters,
    file,
    never,
    number,
    switch,
    text,
    whole,
    word,
)

_MODES = ("primary", "primaryPreferred", "secondary", "secondaryPreferred", "nearest")
_MECHANISMS = (
    "SCRAM-SHA-256", "SCRAM-SHA-1", "MONGODB-X509", "MONGODB-AWS", "MONGODB-OIDC", "GSSAPI", "PLAIN", "DEFAULT",
)  # fmt: skip
_UUIDS = ("unspecified", "standard", "pythonLegacy", "javaLegacy", "csharpLegacy")
_DATES = ("DATETIME", "DATETIME_CLAMP", "DATETIME_MS", "DATETIME_AUTO", "1", "2", "3", "4")
_LAX = ("tlsAllowInvalidCertificates", "tlsAllowInvalidHostnames", "tlsDisableOCSPEndpointCheck")
_OFF = ("", "false")
_ONLY_SRV = ("srvServiceName", "srvMaxHosts", "srvAllowedHostsSuffix")


def _rules(asked: Asked) -> Iterator[str]:
    yield from _rules_of_tls(asked)
    yield from _rules_of_topology(asked)
    values = asked.values
    if values.get("authSource") == "":
        yield "authSource must not be empty"
    if values.get("maxStalenessSeconds") == "0":
        yield "maxStalenessSeconds must be -1 or above 0"
    if values.get("maxStalenessSeconds", "-1") != "-1" and values.get("readPreference") in {None, "primary"}:
        yield "maxStalenessSeconds is for reading from secondaries: write a readPreference that is not primary"
    if values.get("readPreferenceTags") and values.get("readPreference") in {None, "primary"}:
        yield "readPreferenceTags are for reading from secondaries: write a readPreference that is not primary"
    if values.get("w", "").startswith("-"):
        yield "w must not be below 0"
    if _is_on(asked, "journal") and values.get("w") == "0":
        yield "journal=true and w=0 contradict each other: leave one of them out"
    for tags in values.get("readPreferenceTags", "").split("\n"):
        if tags and not all(tag.count(":") == 1 for tag in tags.split(",")):
            yield "readPreferenceTags must be written name:value,name:value"


def _rules_of_tls(asked: Asked) -> Iterator[str]:
    values = asked.values
    if {"ssl", "tls"} <= values.keys() and values["ssl"] != values["tls"]:
        yield "ssl and tls are the same and say different things: leave one of them out"
    if "tlsInsecure" in values:
        yield from (f"tlsInsecure says {name} too: leave one of them out" for name in _LAX if name in values)
    if _LAX[0] in values and _LAX[2] in values:
        yield f"{_LAX[0]} says {_LAX[2]} too: leave one of them out"
    for name in ("tlsInsecure", _LAX[0], _LAX[2]) if values.get("tlsCRLFile") else ():
        if _is_on(asked, name):
            yield f"{name}=true and tlsCRLFile contradict each other: leave one of them out"
    tls = [name for name, value in values.items() if name.startswith("tls") and name != "tls" and value not in _OFF]
    if tls and "false" in {values.get("tls"), values.get("ssl")}:
        yield f"{tls[0]} is for TLS, and the URL asks for none: leave tls=false out"


def _rules_of_topology(asked: Asked) -> Iterator[str]:
    is_srv = asked.scheme == "mongodb+srv"
    if _is_on(asked, "directConnection") and (is_srv or asked.hosts > 1):
        yield "directConnection=true goes with one host and mongodb://"
    if _is_on(asked, "loadBalanced"):
        if asked.hosts > 1:
            yield "loadBalanced=true goes with one host"
        for name in ("directConnection", "replicaSet"):
            if asked.values.get(name, "") not in _OFF:
                yield f"loadBalanced=true and {name} contradict each other: leave one of them out"
    if not is_srv:
        yield from (f"{name} is for mongodb+srv:// only" for name in _ONLY_SRV if name in asked.values)


def _is_on(asked: Asked, name: str) -> bool:
    return asked.values.get(name) == "true"


PARAMETERS = Parameters(
    "MongoDB",
    (
        *switch("tls", "ssl", "tlsInsecure", *_LAX),
        *file("tlsCAFile", "tlsCertificateKeyFile", "tlsCRLFile"),
        *text("tlsCertificateKeyFilePassword"),
        word("authMechanism", *_MECHANISMS),
        *text("authSource", "authMechanismProperties"),
        *text("replicaSet"),
        *switch("directConnection", "loadBalanced"),
        word("readPreference", *_MODES),
        *text("readPreferenceTags"),
        *whole("maxStalenessSeconds", least=-1),
        *text("readConcernLevel", "w"),
        *whole("wTimeoutMS"),
        *switch("journal", "fsync"),
        Parameter("appName", most=128),
        Parameter("compressors", Form.WORDS, ("snappy", "zlib", "zstd")),
        *whole("zlibCompressionLevel", least=-1, most=9),
        *number("localThresholdMS"),
        *text("srvServiceName", "srvAllowedHostsSuffix"),
        *whole("srvMaxHosts"),
        word("uuidRepresentation", *_UUIDS),
        *switch("tz_aware"),
        word("datetime_conversion", *_DATES),
        word("unicode_decode_error_handler", "strict", "replace", "backslashreplace", "surrogateescape", "ignore"),
        *number("connectTimeoutMS", "socketTimeoutMS", "serverSelectionTimeoutMS", "timeoutMS", effect=False),
        *number("heartbeatFrequencyMS", "maxIdleTimeMS", "waitQueueTimeoutMS", effect=False),
        *whole("minPoolSize", "maxPoolSize", "maxAdaptiveRetries", "waitQueueMultiple", effect=False),
        *whole("maxConnecting", least=1, effect=False),
        *switch("retryReads", "retryWrites", "connect", "enableOverloadRetargeting", effect=False),
        word("serverMonitoringMode", "auto", "stream", "poll", effect=False),
        *never("no proxy is used", "proxyHost", "proxyPort", "proxyUsername", "proxyPassword"),
        *never("the client used here does not have it", "tlsDisableCertificateRevocationCheck",
               "serverSelectionTryOnce", "gssapiServiceName"),
        *never("it stands in front of the @", "username", "password"),
    ),
    switches={"true": True, "false": False},
    fold_name=str.lower,
    rules=_rules,
)  # fmt: skip
