"""The cutover drill: the whole migration of one stage, played on this machine (docs/cutover-drill.md)."""
