"""URLs of connections and of the state."""
