"""Servers that say anything: `python -m tests.fuzz`, or `make fuzz`."""
