"""Where the local AWS answers, for the containers that work with it and for what sets it up."""

from dataclasses import dataclass

import boto3

REGION = "us-east-1"
LOCAL_KEY = "local"
"""Anybody's; it opens nothing."""


@dataclass(frozen=True, slots=True)
class LocalAws:
    """Where the local AWS answers."""

    endpoint: str

    def session(self) -> boto3.Session:
        """A session whose clients need `endpoint_url` only."""
        return boto3.Session(aws_access_key_id=LOCAL_KEY, aws_secret_access_key=LOCAL_KEY, region_name=REGION)
