"""Generated symphonies have the shape of the real ones, on any machine, and read fast."""

import hashlib
from itertools import pairwise
from pathlib import Path

import pytest

from alchemiser_strategy.engine.builder import Builder
from alchemiser_strategy.parsers import load_symphony, parse_symphony, to_symphony
from alchemiser_strategy.parsers.tokens import CLOSERS, OPENERS, tokens
from benchmarks.symphony_generator import like_big, main, read_symbols, symphony_of_size

SYMBOLS = [f"S{number}" for number in range(300)]


@pytest.fixture(scope="module")
def big() -> str:
    return like_big(1, SYMBOLS)


def forms(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    words = tokens(text)
    for opener, head in pairwise(words):
        if opener == "(":
            found[head] = found.get(head, 0) + 1
    return found


def test_the_big_one_has_the_counts_that_were_asked_for(big: str) -> None:
    count = forms(big)
    assert (count["if"], count["filter"], count["group"]) == (1000, 250, 660)
    depth = deepest = 0
    for token in tokens(big):
        depth += (token in OPENERS) - (token in CLOSERS)
        deepest = max(deepest, depth)
    assert 185 <= deepest <= 195
    assert 1_800_000 < len(big) < 2_500_000
    assert sum(f'"{symbol}"' in big for symbol in SYMBOLS) == 290


def test_the_big_one_is_ten_times_as_long_as_what_it_says(big: str) -> None:
    whole = parse_symphony(big)
    assert 6500 < whole.stated < 9000
    assert 500 < whole.distinct < 750
    assert whole.warnings == ()


def test_the_big_one_survives_being_printed(big: str) -> None:
    builder = Builder()
    whole = parse_symphony(big, builder=builder)
    assert parse_symphony(to_symphony(whole), builder=builder).root is whole.root


@pytest.mark.parametrize("size", [1000, 10_000, 100_000, 1_000_000])
@pytest.mark.parametrize("seed", [1, 2])
def test_any_size_can_be_had(size: int, seed: int) -> None:
    text = symphony_of_size(size, seed, SYMBOLS)
    assert 0.7 * size < len(text) < 1.4 * size
    assert parse_symphony(text).stated > 5


def test_the_same_seed_gives_the_same_text_everywhere(big: str) -> None:
    assert hashlib.sha256(big.encode()).hexdigest()[:16] == "9111e6fb257351c4"
    assert like_big(2, SYMBOLS) != big


def test_the_command_line_writes_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed, out = tmp_path / "symbols.csv", tmp_path / "out.clj"
    listed.write_text("SPY,QQQ\nTLT, GLD\nSPY")
    assert read_symbols(str(listed)) == read_symbols("SPY,QQQ,TLT,GLD") == ["SPY", "QQQ", "TLT", "GLD"]
    main(["--seed", "3", "--size", "2000", "--symbols-from", str(listed), "-o", str(out)])
    assert load_symphony(out).name == "Generated"
    assert "bytes" in capsys.readouterr().out
