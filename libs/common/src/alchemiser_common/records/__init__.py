"""What the state store holds, as models without behaviour: whoever reads the store needs these and no service.

    run.py            a run's first line, and its line in the account's list       written by data or trading
    journal.py        head and order intents of a run                              trading
    loose.py          orders of ended runs that may still be open                  trading
    plan.py           the frozen plan of a run                                     trading
    parity.py         how the two pipelines' runs of a cycle compare               trading
    lease.py          who works on an account                                      trading
    authority.py      which pipeline may trade an account                          a person
    trading_state.py  whether an account may trade                                 a person
    audit.py          what people changed                                          with each such change
    targets.py        what a strategy last wanted to hold                          trading
    books.py          what each strategy holds, and what the account is worth      trading

The end of a run is stored as the message `ExecutionReport`. `tests/contract/golden/records` pins every one of them.
"""
