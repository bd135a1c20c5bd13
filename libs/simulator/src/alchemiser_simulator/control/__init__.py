"""What a test may do to the exchange: faults, time, inspection."""
