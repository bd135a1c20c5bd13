"""The exchange itself: orders, their acceptance and matching, books, and what survives a restart."""
