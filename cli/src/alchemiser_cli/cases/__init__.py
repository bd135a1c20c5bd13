"""Captured cases: what is stored of one run, as a folder that says nothing of whose run it was."""
