"""Every operator, option and metric of symphony text, and the nodes that it stands for."""

import pytest

from alchemiser_strategy.engine import nodes as n
from alchemiser_strategy.engine.builder import Builder
from alchemiser_strategy.engine.metrics import METRICS, VOLATILITY
from alchemiser_strategy.parsers import parse_symphony

A, B, C = '(asset "A" "Alpha")', '(asset "B" nil)', '(asset "C")'


def read(text: str) -> n.Portfolio:
    return parse_symphony(text).root


def shares(text: str) -> dict[str, float]:
    root = read(text)
    assert isinstance(root, n.Weighted)
    total: dict[str, float] = {}
    for share, child in zip(root.shares, root.children, strict=True):
        assert isinstance(child, n.Asset)
        total[child.symbol] = total.get(child.symbol, 0.0) + share
    return total


def condition(text: str) -> n.Condition:
    root = read(f"(if {text} [{A}] [{B}])")
    assert isinstance(root, n.Choice)
    return root.condition


# --- the whole


def test_a_symphony_has_its_name_and_is_rebalanced_daily() -> None:
    whole = parse_symphony(f'(defsymphony "My one" {{:asset-class "EQUITIES", :rebalance-frequency :daily}} {A})')
    assert whole.name == "My one"
    assert whole.rebalance.always
    assert isinstance(whole.root, n.Asset)


@pytest.mark.parametrize("frequency", list(n.Frequency))
def test_every_frequency_is_known(frequency: n.Frequency) -> None:
    whole = parse_symphony(f'(defsymphony "x" {{:rebalance-frequency :{frequency.value}}} {A})')
    assert whole.rebalance == n.Rebalance(frequency, None)


@pytest.mark.parametrize("written", ["weekly", ":weekly"])
def test_a_frequency_may_be_a_bare_word(written: str) -> None:
    whole = parse_symphony(f'(defsymphony "x" {{:rebalance-frequency {written}}} {A})')
    assert whole.rebalance.frequency is n.Frequency.WEEKLY


def test_a_threshold_takes_the_place_of_the_calendar() -> None:
    assert parse_symphony(f'(defsymphony "x" {{:rebalance-threshold .05}} {A})').rebalance.threshold == 0.05


def test_a_bare_body_is_named_for_its_file() -> None:
    whole = parse_symphony(C, "library/three.clj")
    assert (whole.name, whole.source) == ("three", "library/three.clj")


def test_equal_parts_become_one_node_and_are_counted() -> None:
    inner = f'(if (> (rsi "S" {{:window 10}}) 79) [{A}] [{B}])'
    whole = parse_symphony(f"(weight-equal [{inner} {inner} {inner}])")
    assert isinstance(whole.root, n.Weighted)
    assert len(set(whole.root.children)) == 1
    assert (whole.stated, whole.distinct) == (1 + 3 * 6, 1 + 6)


def test_nodes_are_shared_with_the_builder_that_is_given() -> None:
    builder = Builder()
    assert parse_symphony(C, builder=builder).root is builder.asset("C")


def test_labels_are_kept_for_people_and_separate_nothing() -> None:
    one = parse_symphony(f'(weight-equal [(group "first" [{A} {B}]) (group "second" [{A} {B}])])')
    assert isinstance(one.root, n.Weighted)
    first, second = one.root.children
    assert first is second
    assert one.labels[first] == "first"
    assert sorted(one.labels.values()) == ["Alpha", "first"]


# --- portfolios


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"(weight-equal [{A} {A} {B}])", {"A": 2 / 3, "B": 1 / 3}),
        (f"(weight-specified 60 {A} 40 {B})", {"A": 0.6, "B": 0.4}),
        (f"(weight-specified 0.6 {A} 0.4 {B})", {"A": 0.6, "B": 0.4}),
        (f"(weight-specified .5 {A} 0 {C} .5 {B})", {"A": 0.5, "B": 0.5}),
        (f"(weight-specified 33.3 {A} 33.3 {B} 33.3 {B})", {"A": 1 / 3, "B": 2 / 3}),
        (f'(group "two items" [{A} {B}])', {"A": 0.5, "B": 0.5}),
    ],
)
def test_weights_are_as_written(text: str, expected: dict[str, float]) -> None:
    assert shares(text) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("SPY", "SPY"),
        ("BRK/B", "BRK.B"),
        ("BF.B", "BF.B"),
        ("EQUITIES::XLK//USD", "XLK"),
        ("EQUITIES::BRK/B//USD", "BRK.B"),
    ],
)
def test_symbols(written: str, meant: str) -> None:
    root = read(f'(asset "{written}")')
    assert isinstance(root, n.Asset)
    assert root.symbol == meant


def test_a_group_with_two_bodies_is_the_last_one_and_warns() -> None:
    whole = parse_symphony(f'(weight-equal\n [(group "G" [{A}] [{B}])])', "g.clj")
    assert isinstance(whole.root, n.Asset)
    assert whole.root.symbol == "B"
    assert whole.warnings == ("g.clj:2:3: group 'G' has 2 bodies; only the last one counts",)


def test_wrappers_of_one_child_are_the_child() -> None:
    assert isinstance(read(f'(weight-equal [(group "x" [(weight-specified 1 {A})])])'), n.Asset)


def test_a_branch_of_several_items_is_an_equal_weight() -> None:
    root = read(f'(if (> (rsi "S") 50) [{A} {B}] {C})')
    assert isinstance(root, n.Choice)
    assert isinstance(root.then, n.Weighted)
    assert root.then.shares == (0.5, 0.5)
    assert isinstance(root.otherwise, n.Asset)


def test_inverse_volatility() -> None:
    root = read(f'(weight-inverse-volatility "45" [{A} (group "g" [{B} {C}])])')
    assert isinstance(root, n.InverseWeighted)
    assert (root.measure.metric, root.measure.windows) == (VOLATILITY, (45,))
    assert len(root.children) == 2


@pytest.mark.parametrize("end", ["top", "bottom"])
@pytest.mark.parametrize("count", ["2", '"2"', "2.", "2e0"])
def test_a_filter_keeps_some(end: str, count: str) -> None:
    root = read(f"(filter (moving-average-return {{:window 20}}) (select-{end} {count}) [{C} {A} {B} {A}])")
    assert isinstance(root, n.Filter)
    assert (root.select.value, root.k, root.pool) == (end, 2, None)
    assert [child.symbol for child in root.children if isinstance(child, n.Asset)] == ["A", "B", "C"]


def test_a_filter_over_a_filter_ranks_its_winners() -> None:
    inner = f"(filter (rsi {{:window 10}}) (select-top 2) [{A} {B} {C}])"
    root = read(f"(filter (cumulative-return {{:window 5}}) (select-bottom 1) [{inner}])")
    assert isinstance(root, n.Filter)
    assert root.pool is not None
    assert root.pool.children == root.children


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (f"(filter (rsi) (select-top 9) [{A} {B}])", "x:1:1: filter select-top 9 keeps all 2 candidates"),
        (
            f"(filter (rsi) (select-top 1) [{A} {B} {A}])",
            "x:1:1: filter lists an asset more than once; it competes once",
        ),
        (f"(weight-specified 0 {A} 1 {B})", "x:1:1: weight-specified has a weight of zero; its child is left out"),
        (
            f"(weight-specified 33.3 {A} 66.3 {B})",
            "x:1:1: weight-specified has weights that sum to 99.6; each is divided by that sum",
        ),
    ],
)
def test_what_is_probably_not_meant_is_a_warning(text: str, warning: str) -> None:
    assert parse_symphony(text, "x").warnings == (warning,)


def test_cash_is_a_portfolio_without_a_symbol() -> None:
    root = read(f'(if (> (rsi "S") 50) [{A} (cash)] [(group "out" [(cash)])])')
    assert isinstance(root, n.Choice)
    assert isinstance(root.then, n.Weighted)
    assert root.then.children[1] is root.otherwise
    assert isinstance(root.otherwise, n.Cash)


def test_a_filters_window_in_quotes_is_no_symbol() -> None:
    root = read(f'(filter (rsi "10") (select-top 1) [{A} {B}])')
    assert isinstance(root, n.Filter)
    assert (root.measure.metric.name, root.measure.windows) == ("rsi", (10,))


# --- conditions and operands


@pytest.mark.parametrize("operator", list(n.Operator))
def test_every_comparison(operator: n.Operator) -> None:
    found = condition(f'({operator.value} (rsi "S" {{:window 10}}) (rsi "T" {{:window 20}}))')
    assert isinstance(found, n.Compare)
    assert found.operator is operator
    assert isinstance(found.left, n.Reading)
    assert isinstance(found.right, n.Reading)
    assert (found.left.symbol, found.right.symbol) == ("S", "T")


def test_conditions_compose() -> None:
    found = condition('(and (or (> (rsi "S") 1) (< 2 3)) (not (= (rsi "S") 4)))')
    assert isinstance(found, n.AllOf)
    either, no = found.parts
    assert isinstance(either, n.AnyOf)
    assert isinstance(no, n.Negation)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7.0), ("-7", -7.0), ("+7", 7.0), ("0.5", 0.5), (".5", 0.5), ("-.5", -0.5), ("1.", 1.0), ("1e3", 1000.0),
        ("1.5E-2", 0.015), ("1e+2", 100.0),
    ],
)  # fmt: skip
def test_numbers(text: str, value: float) -> None:
    found = condition(f'(> (rsi "S") {text})')
    assert isinstance(found, n.Compare)
    assert isinstance(found.right, n.Number)
    assert found.right.value == value


@pytest.mark.parametrize(
    ("form", "windows"),
    [
        ('(current-price "S")', ()),
        ('(moving-average-price "S" {:window 50})', (50,)),
        ('(exponential-moving-average-price "S" {:window 8})', (8,)),
        ('(moving-average-return "S" {:window 20})', (20,)),
        ('(cumulative-return "S" {:window 1})', (1,)),
        ('(rsi "S" {:window "14"})', (14,)),
        ('(stdev-return "S" {:window 600})', (600,)),
        ('(stdev-price "S" {:window 10})', (10,)),
        ('(max-drawdown "S" {:window 252})', (252,)),
        ('(percentage-price-oscillator "S" {:short-window 5, :long-window 9})', (5, 9)),
        ('(percentage-price-oscillator-signal "S" {:smooth-window "3"})', (12, 26, 3)),
        ('(rsi-volatility "S" {:window 14})', (14,)),
        ('(rsi "S" 7)', (7,)),
        ('(rsi "S" "7")', (7,)),
        ('(rsi "S")', (14,)),
        ('(moving-average-price "S")', (200,)),
        ('(moving-average-return "S" {})', (21,)),
        ('(cumulative-return "S")', (60,)),
        ('(exponential-moving-average-price "S")', (12,)),
        ('(stdev-return "S")', (6,)),
        ('(stdev-price "S")', (6,)),
        ('(max-drawdown "S")', (60,)),
        ('(percentage-price-oscillator "S")', (12, 26)),
        ('(percentage-price-oscillator-signal "S")', (12, 26, 9)),
    ],
)
def test_every_metric_of_a_symbol_and_as_a_ranking(form: str, windows: tuple[int, ...]) -> None:
    found = condition(f"(> {form} 1)")
    assert isinstance(found, n.Compare)
    assert isinstance(found.left, n.Reading)
    assert found.left.measure.metric is METRICS[form[1:].split(maxsplit=1)[0]]
    assert (found.left.measure.windows, found.left.symbol) == (windows, "S")
    ranked = read(f"(filter {form.replace(' "S"', '')} (select-top 1) [{A} {B}])")
    assert isinstance(ranked, n.Filter)
    assert ranked.measure is found.left.measure


# --- the text itself


def test_comments_commas_and_white_space_mean_nothing() -> None:
    text = '\ufeff; first\n,(weight-equal;x\r\n\t[ ,(asset "A" "a;b,c") ;; "\n (asset\f"B"nil)])\n;end'
    assert shares(text) == {"A": 0.5, "B": 0.5}


def test_strings_have_escapes_and_any_characters() -> None:
    whole = parse_symphony(r'(group "a \"b\" \\ \n \u00e9 \ud83d\ude00 \ud83d (] 漢;" [(asset "A") (asset "B")])')
    assert whole.labels[whole.root] == 'a "b" \\ \n é 😀 � (] 漢;'
