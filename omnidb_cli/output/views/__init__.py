"""From frozen snapshots to documents: what is shown, not how. Everything here is pure."""
