"""Where records live."""

from uuid import uuid5

from alchemiser_common import keys
from support.messages import RUN


def test_run_ids_of_other_runs_are_other_keys() -> None:
    assert keys.intent_record(RUN, 1, 2) != keys.intent_record(uuid5(RUN, "other"), 1, 2)
    assert keys.intent_record(RUN, 9, 1) < keys.intent_record(RUN, 10, 1), "intents sort by leg"
