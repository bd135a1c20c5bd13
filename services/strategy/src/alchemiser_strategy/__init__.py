"""Strategy Engine: a pure function from MarketSnapshot to TradeDecision."""
