"""YAML text to a frozen, validated Topology."""
