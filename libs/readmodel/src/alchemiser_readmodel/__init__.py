"""From stored records to what a person asks: pure functions over `alchemiser_common`; nothing here reads or writes.

runs.py             what is stored of a run, side by side: how it stands and why
account.py          what is stored of an account, side by side
status.py           how an account stands now: worth, holdings, switches, last run, what needs a hand
open_lots.py        what each strategy holds, at what cost, and what it has earned
performance.py      what an account earned: time-weighted, by month and by strategy, transfers taken out
symbol_gains.py     the same by symbol, from one plan to the next
run_news.py         what a person is told of a run that has ended
prices_beside.py    the prices of both pipelines' orders of one cycle, traded and simulated
leg_steps.py        a run's orders leg by leg: each limit price, and what became of it
progress.py         a run as a line of stages: where it is, where it ended
waterfall.py        where a run's time went, from its scheduled time to its end
strategy_weights.py what strategies wanted to hold from session to session
run_search.py       which runs a person looks for
verdicts.py         what the verdicts on cycles say: one as a whole, the newest, how many days in a row were good
"""
