"""Routing: who serves whom, and why."""
