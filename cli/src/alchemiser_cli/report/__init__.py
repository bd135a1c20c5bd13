"""Figures, pages and tables of a demo and of a backtest: models in, HTML or terminal tables out, no I/O.

What other pages build on: `charts` and `curves` (values to figures), `tables`, `facts` and `statistics` (values to
what a part shows), `templates/base.html` and `templates/parts.html` (to HTML), `page.page` (a finished page, as one
file or for a server that has `page.assets()`).
"""
