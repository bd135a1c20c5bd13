"""The two pipelines' runs of one cycle side by side: did they see, decide and want the same, and if not, why not?

    sides → decisions → verdicts

`verdicts` is pure but for `keep`. Whichever side ends second compares equal inputs; unequal ones and silence need the
strategies and both snapshots, and are left to the judge of the monolith.
"""
