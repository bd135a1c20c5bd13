"""The operator's and developer's command."""
