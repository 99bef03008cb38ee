"""Loading a topology: against the bare YAML parse of the same text, and how it grows."""

from functools import partial
from math import log
from statistics import median

from tests.bench.row import Row, at_most
from tests.bench.scale import Scale
from tests.bench.timing import alternate, ratio
from tests.bench.topologies import long_text


def rows(scale: Scale) -> list[Row]:
    """The rows of this section."""
    from yaml import CSafeLoader, load

    from omnidb_cli import drivers
    from omnidb_cli.state import store
    from omnidb_cli.topology import parse

    few, many = long_text(scale.few), long_text(scale.many)
    runs = {
        "few": partial(parse, few, engines=drivers, stores=store),
        "few bare": partial(load, few, Loader=CSafeLoader),
        "many": partial(parse, many, engines=drivers, stores=store),
        "many bare": partial(load, many, Loader=CSafeLoader),
    }
    seconds = alternate(runs, scale.loads)
    few_s, many_s = median(seconds["few"]), median(seconds["many"])
    exponent = log(many_s / few_s) / log(scale.many / scale.few)
    sizes = f" ({few_s:.3g} s at {scale.few:,}, {many_s:.3g} s at {scale.many:,})"
    return [
        at_most(
            "loading a topology, against the bare YAML parse",
            ratio(seconds, "few", "few bare"),
            3,
            unit=" ×",
            note=f" at {scale.few:,} connections",
        ),
        Row("the same, growth with its length", f"n^{exponent:.2f}{sizes}", "≤ n^1.15", exponent <= 1.15),
    ]
