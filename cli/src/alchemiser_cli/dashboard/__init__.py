"""The operator's pages in a browser, on this machine only. What a record means is the read model's to say.

application.py   addresses to pages, and what is said when one cannot be made
security.py      who may read and who may change: checked before any page is made
switches.py      halt, reduce and resume by forms, if that is allowed
source.py        what the pages read, through stored_runs and stored_account
layout.py        a page's values to HTML, with the parts that the reports have
pages/           one file a page: what is asked for in, values for its template out
templates/       values to HTML
"""
