"""What says who may work on an account: authority, trading state, lease, and the trail of changes."""
