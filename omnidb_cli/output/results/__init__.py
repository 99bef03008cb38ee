"""The result of a statement, in every format."""
