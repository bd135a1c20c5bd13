"""Everything that handles one order: the pure machine of a leg, the loop that drives it, its reads and its sends."""
