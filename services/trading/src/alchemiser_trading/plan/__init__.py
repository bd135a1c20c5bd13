"""From a decision and what the account holds to the frozen list of legs, within the limits."""
