"""From stored records to what a person asks: pure functions over `alchemiser_common`; nothing here reads or writes.

prices_beside.py    the prices of both pipelines' orders of one cycle, traded and simulated
waterfall.py        where a run's time went, from its scheduled time to its end
verdicts.py         what the verdicts on cycles say: one as a whole, the newest, how many days in a row were good
"""
