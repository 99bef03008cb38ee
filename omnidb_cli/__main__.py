"""`python -m omnidb_cli` and the `omnidb` command."""


def main() -> None:
    """Runs the command line."""


if __name__ == "__main__":
    main()
