"""Prices and sessions: history, the bars and quotes made from it, the calendar."""
