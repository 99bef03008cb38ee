"""Presentation: streams, words, views, formats."""
