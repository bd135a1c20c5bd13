"""Implementations of the ports for one machine: SQLite, an in-process queue, a directory, the environment."""
