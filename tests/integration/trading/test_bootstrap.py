"""What the trading service is composed of: a shadow has nothing to trade with, whatever its key can."""

from pathlib import Path

import pytest

from alchemiser_common.embedded.adapters import EmbeddedAdapters
from alchemiser_common.settings import Settings
from alchemiser_trading.bootstrap import connect
from support.trading_rig import Rig


@pytest.mark.parametrize("shadow", [False, True])
def test_a_shadow_is_connected_with_a_reader_and_no_broker(rig: Rig, tmp_path: Path, *, shadow: bool) -> None:
    settings = Settings.model_validate(
        {
            "environment": "simulated",
            "shadow": shadow,
            "home": tmp_path,
            "broker": {"trading_url": rig.control_url, "data_url": rig.control_url},
        }
    )
    connection = connect(settings, EmbeddedAdapters(settings, {}), rig.clock)
    assert connection.reader.account().status == "ACTIVE"
    assert (connection.broker is None) is shadow
    assert hasattr(connection.reader, "submit") is not shadow
