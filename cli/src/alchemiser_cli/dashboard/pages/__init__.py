"""One file a page: what is asked for in, values for its template out. Reads through stored_runs and stored_account."""

from collections.abc import Mapping

type Asked = Mapping[str, str]
"""What an address says: the parts of its path and of its query, by name."""
