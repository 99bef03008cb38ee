"""What a status amounts to, and how that is said."""

from msgspec import Struct

from omnidb_cli.core.snapshot import Snapshot, SplitBrain


class Finding(Struct, frozen=True):
    """The exit code that a status stands for, and the sentence that says why; an empty one with 0.

    `headline` is the same in a few words, of what goes before everything else on the screen: a split brain, or a host
    that may be isolated. `is_stale`: evidence is missing, or older than it may be.
    """

    code: int
    reason: str = ""
    headline: str | None = None
    is_stale: bool = False


NOTHING_FOUND = Finding(0)


def verdict_line(finding: Finding, exit_code: int) -> str:
    """The sentence under the table: what made the exit code; none where there is nothing to find."""
    if not finding.code:
        return ""
    if exit_code == finding.code:
        return f"exit code {exit_code}: {finding.reason}"
    return f"exit code {exit_code} by --fail-on, where it would be {finding.code}: {finding.reason}"


def end_to_hold(snapshot: Snapshot, split: SplitBrain) -> str:
    """The connection to hold so that the split brain ends: the one of the two that does not serve."""
    serving = next((one.route.serving for one in snapshot.connections if one.name == split.requested), None)
    return split.primary if serving in split.replicas else split.replica
