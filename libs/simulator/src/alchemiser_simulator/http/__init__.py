"""The exchange over HTTP, in Alpaca's shapes."""
