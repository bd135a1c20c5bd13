"""A liar at every answer: a seeded broker that lies and fails at will, and what must hold for all that it says."""
