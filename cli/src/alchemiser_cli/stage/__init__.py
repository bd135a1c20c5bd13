"""A stage: one deployment of the system on AWS, and what is done to it: deployed, rolled back, checked."""
