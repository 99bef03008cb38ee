"""How it looks: streams, words, views, formats."""
