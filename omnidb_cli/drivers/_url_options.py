"""Refuses a target whose URL says what its engine does not know: a mistyped option must never go unnoticed."""

from omnidb_cli.drivers.base import Target
from omnidb_cli.errors import TopologyError
from omnidb_cli.topology.urls.parameters import Parameters, Wording, found_plainly

PLAIN = Wording(lambda _word, _known: "", found_plainly)


def refuse_faulty_options(target: Target, parameters: Parameters) -> None:
    """Raises TopologyError with what is wrong with the options of the URL. Loading a topology has told it before."""
    faults = parameters.faults(target.params, scheme=target.scheme, hosts=len(target.hosts), wording=PLAIN)
    if wrong := "; ".join(faults):
        raise TopologyError(f'connection "{target.name}": in its URL, {wrong}')
