"""A FIFO queue with dead letters on a real moto server."""

import pytest

from support.aws import Aws
from support.delivery_queue import DeliveryQueue, make_delivery_queue


@pytest.fixture
def queue(aws: Aws) -> DeliveryQueue:
    return make_delivery_queue(aws)
