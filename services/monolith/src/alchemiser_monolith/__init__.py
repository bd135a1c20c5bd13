"""The three services composed in one process: the production path before cutover, and every local run."""
