"""Data Provider: reads the broker and the market once, checks what it read, and publishes a MarketSnapshot."""
