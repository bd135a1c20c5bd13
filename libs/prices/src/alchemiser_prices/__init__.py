"""Price files that people have, read rightly or refused; what comes out is one form, the project's own tidy Parquet.

files.py      a path -> the files in it, unpacked
tables.py     a file -> a table of cells under its headings
spellings.py  what vendors call a column, and how they write a symbol
layouts.py    headings -> which column is what, of which symbol
cells.py      cells -> dates and numbers
checks.py     rows -> what is no session, no price, twice there; what adjusts what; jumps
importing.py  all of it, to one table and a report of what was understood
tidy.py       the tidy file: written, recognised, its report read          (without pandas)
cache.py      what was imported once, by the content of the file           (without pandas)
fetching.py   the broker's daily bars into a tidy file, and its updates    (without pandas)
    done.py       what a fetch did with a symbol
    report.py, errors.py    what is said to people
"""
