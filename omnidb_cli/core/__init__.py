"""The engine: registry, health, circuits, routes. A library of its own; it knows no topology, driver or terminal."""
