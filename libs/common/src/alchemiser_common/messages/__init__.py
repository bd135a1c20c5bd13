"""The contracts that travel between services. Each module is one message; `wire` reads and writes them."""
