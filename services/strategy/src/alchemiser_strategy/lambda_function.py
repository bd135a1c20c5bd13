"""The image's command: AWS Lambda calls `handler`.

Imports during initialisation, when Lambda gives a whole core, everything that the first event needs.
"""

import os

import alchemiser_common.aws.clients  # noqa: F401
from alchemiser_common.lambda_entry import LambdaEntry
from alchemiser_strategy.bootstrap import strategy_function

handler = LambdaEntry("strategy", strategy_function, os.environ)
