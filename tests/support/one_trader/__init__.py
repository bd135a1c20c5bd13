"""One due cycle under every authority, phase, flag and death: who sends orders, and who is told if nobody does."""
