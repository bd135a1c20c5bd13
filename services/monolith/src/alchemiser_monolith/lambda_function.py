"""The image's command: AWS Lambda calls `handler`.

What the service is composed of at the first event is imported here, while Lambda still lends a whole core.
"""

import os

import alchemiser_common.alpaca.broker
import alchemiser_common.aws.clients  # noqa: F401
from alchemiser_common.lambda_entry import LambdaEntry
from alchemiser_monolith.bootstrap import monolith_function

handler = LambdaEntry("monolith", monolith_function, os.environ)
