"""Trading Module: executes a TradeDecision exactly once, journals it and reports it."""
