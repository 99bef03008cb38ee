"""One command (or command group) a file."""
