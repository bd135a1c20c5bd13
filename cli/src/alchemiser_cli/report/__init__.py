"""Figures, pages and tables of a demo and of a backtest: models in, HTML or terminal tables out, no I/O."""
