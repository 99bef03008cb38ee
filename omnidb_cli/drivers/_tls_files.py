"""The files that TLS needs: what cannot be read is said here, in the same words for every engine."""

from omnidb_cli.errors import ConnectError, ErrorKind


def refuse_unreadable(*files: str | None) -> None:
    """Raises ConnectError of kind `tls` for the first file that is named and cannot be read."""
    for file in filter(None, files):
        try:
            with open(file, "rb") as found:  # noqa: PTH123 - half of the time that pathlib takes to be imported
                found.read(1)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "not the name of a file"
            raise ConnectError(f"the TLS file {file} cannot be read: {reason}", kind=ErrorKind.TLS) from error
