"""The broker port on Alpaca, through alpaca-py. The only place that imports alpaca-py."""
