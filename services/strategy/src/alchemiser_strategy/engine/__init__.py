"""The strategy language: nodes, the builder that makes them, and the two interpreters that read them."""
