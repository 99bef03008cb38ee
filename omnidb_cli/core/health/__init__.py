"""Health: what checks say, and when they are made."""
