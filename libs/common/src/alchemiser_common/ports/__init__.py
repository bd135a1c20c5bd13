"""What the services need of the world, as protocols. Each has real implementations that pass one contract suite."""
