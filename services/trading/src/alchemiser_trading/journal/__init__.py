"""The durable record of a run and the phases it moves through."""
