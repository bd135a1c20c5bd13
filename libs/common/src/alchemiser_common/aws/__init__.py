"""Implementations of the ports on AWS: DynamoDB, SQS FIFO, S3, Secrets Manager, EventBridge."""
