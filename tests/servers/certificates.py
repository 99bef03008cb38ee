"""Certificates for servers that speak TLS, made with openssl."""

from pathlib import Path

from tests.servers.base import binary, run

_DAYS = "3650"


def make_certificates(folder: Path) -> None:
    """Fills `folder` with `ca`, `server` and `client` `.crt` and `.key`, and `other-ca.crt`, which signed neither.

    The server's is for `localhost` and 127.0.0.1; the client's for the login `with_certificate`. `folder` belongs
    to the servers' user, and so do the files.
    """
    for name in ("ca", "other-ca"):
        _openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", _DAYS, "-subj", f"/CN={name} of the tests",
            "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt",
        )  # fmt: skip
    _signed(folder, "server", "localhost", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    _signed(folder, "client", "with_certificate", "extendedKeyUsage=clientAuth")


def _signed(folder: Path, name: str, subject: str, extension: str) -> None:
    request = folder / f"{name}.csr"
    _openssl(
        "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={subject}",
        "-keyout", folder / f"{name}.key", "-out", request,
    )  # fmt: skip
    extensions = folder / f"{name}.ext"
    extensions.write_text(extension)
    extensions.chmod(0o644)
    _openssl(
        "x509", "-req", "-in", request, "-CA", folder / "ca.crt", "-CAkey", folder / "ca.key", "-CAcreateserial",
        "-days", _DAYS, "-extfile", extensions, "-out", folder / f"{name}.crt",
    )  # fmt: skip
    (folder / f"{name}.key").chmod(0o600)
    request.unlink()
    extensions.unlink()


def _openssl(*arguments: str | Path) -> None:
    run([binary("openssl", package="openssl"), *arguments])
