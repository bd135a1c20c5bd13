"""What symphony text must not say, and how a person is told: source, line, column, operator, expectation."""

import pytest

from alchemiser_strategy.errors import StrategyError
from alchemiser_strategy.parsers import parse_symphony
from alchemiser_strategy.parsers.document import MAX_CHARACTERS

A = '(asset "A")'
IF = '(if (> (rsi "S") 5) '


def complaint(text: str) -> str:
    with pytest.raises(StrategyError) as caught:
        parse_symphony(text, "f.clj")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        # the text as a whole
        ("", "1:1", "nothing to read; expected (defsymphony"),
        ("  ; only a comment\n", "1:1", "nothing to read"),
        ("nonsense", "1:1", "found nonsense; expected (defsymphony"),
        (f"{A}\n {A}", "2:2", "after the end of the symphony; expected nothing more"),
        (f"{A}\n )", "2:2", "')' closes nothing"),
        (f"[{A}]", "1:1", "found a vector; expected (defsymphony"),
        ('{:step "root"}', "1:1", "found a map; expected (defsymphony"),
        ('(rsi "S")', "1:1", "found an indicator; expected (defsymphony"),
        # brackets and strings
        (f"(weight-equal\n [{A}", "2:2", "'[' opened here is never closed; expected ']'"),
        (f"(weight-equal\n [{A}]", "1:1", "(weight-equal …) opened here is never closed; expected ')'"),
        (f"(weight-equal\n [{A})\n)", "2:14", "found ')'; expected ']' to close '[' opened at 2:2"),
        (f"(weight-equal\n ({A}]", "2:14", "found ']'; expected ')' to close '(' opened at 2:2"),
        ('(asset\n "A)', "2:2", "the string opened here is never closed"),
        ('(asset "A\\")', "1:8", "the string opened here is never closed"),
        ('(asset "A\\', "1:8", "the string opened here is never closed"),
        ('(asset "A" "\\x")', "1:12", "(asset …): string has the escape \\x; expected"),
        # operators
        ("()", "1:1", "the list is empty; expected an operator"),
        (f"\n({A})", "2:2", "a list starts with a portfolio; expected an operator"),
        ('("asset" "A")', "1:2", 'unknown operator "asset"'),
        (f"(weight-equl [{A}])", "1:2", "unknown operator weight-equl; did you mean weight-equal?"),
        ('(> (macd "S") 1)', "1:5", "unknown operator macd; expected one of defsymphony asset"),
        ('(> ((unimplemented :vix-term) "S") 1)', "1:5", "the export left out :vix-term"),
        # arity and kinds
        ('(> (lower-bollinger "S" 20) 1)', "1:5", "lower-bollinger is a metric of Composer's, and how it is computed"),
        ('(> (percentage-price-oscillator "S" {:fast-window 9}) 1)', "1:4", "no option 'fast-window'; its options"),
        ("(asset)", "1:1", '(asset …): has 0 arguments; expected (asset "SYMBOL" "label")'),
        ('(asset "A" "b" "c")', "1:1", "(asset …): has 3 arguments"),
        ("(asset A)", "1:8", '(asset …): found A; expected a symbol in "quotes"'),
        ('(asset "A" label)', "1:12", "expected a label or nil"),
        ('(asset "tqqq")', "1:1", "symbol 'tqqq' is no ticker"),
        ('(asset "CRYPTO::BTC//USD")', "1:1", "'CRYPTO::BTC//USD' is of the asset class CRYPTO; only EQUITIES can"),
        ('(> (rsi "CRYPTO::BTC//USD") 1)', "1:4", "is of the asset class CRYPTO"),
        ('(asset "BTC/USD")', "1:1", "'BTC/USD' is a pair of the asset class CRYPTO"),
        ('(asset "BTC//USD")', "1:1", "names no asset class; expected EQUITIES::BTC//USD, or BTC alone"),
        ('(asset "EQUITIES::XLK//EUR")', "1:1", "names the currency EUR"),
        ("(cash)", "1:1", "names no asset: it would hold nothing but cash"),
        ("(cash 5)", "1:1", "has 1 argument; expected (cash)"),
        ('(asset "")', "1:1", "symbol '' is no ticker"),
        ('(group "g")', "1:1", '(group …): has 1 argument; expected (group "name" [body])'),
        (f"(group g [{A}])", "1:8", "expected the group's name"),
        ('(group "g" [])', "1:1", "group 'g' is empty"),
        ("(weight-equal)", "1:1", "has 0 arguments; expected (weight-equal [child…])"),
        ("(weight-equal [])", "1:1", "weight-equal is empty; it needs at least one child"),
        (f"(weight-equal {A} {A})", "1:1", "has 2 arguments; expected (weight-equal [child…])"),
        (f"(weight-equal\n [{A}\n  7])", "3:3", "(weight-equal …): found 7; expected a portfolio"),
        (f"(weight-equal [[{A}]])", "1:16", "found a vector; expected a portfolio"),
        (f'(weight-equal [(defsymphony "x" {{}} {A})])', "1:16", "found (defsymphony …); expected a portfolio"),
        (f"(weight-specified 1 {A} 2)", "1:1", "expected (weight-specified weight child weight child …)"),
        (f"(weight-specified\n {A} 1)", "2:2", "found a portfolio; expected a weight"),
        (f"(weight-specified -1 {A} 2 {A})", "1:1", "weight -1.0; weights must be 0 or more"),
        (f"(weight-specified 0 {A})", "1:1", "weights that sum to 0; they must sum to 1 or to 100"),
        (f"(weight-specified 0.3 {A} 0.3 {A})", "1:1", "weights that sum to 0.6; they must sum to 1 or to 100"),
        (f"(weight-specified 60 {A} 4 {A})", "1:1", "weights that sum to 64; they must"),
        (f"(weight-specified 60 {A} 40.6 {A})", "1:1", "weights that sum to 100.6; they must"),
        (f"(weight-specified 1e999 {A})", "1:1", "weights must be 0 or more"),
        (f"(weight-inverse-volatility [{A}])", "1:1", "expected (weight-inverse-volatility window [child…])"),
        (f"(weight-inverse-volatility x [{A} {A}])", "1:28", "found x; expected a whole number"),
        ("(weight-inverse-volatility 5 [])", "1:1", "needs at least one child"),
        # conditions
        (f"{IF}[{A}])", "1:1", "(if …): if has no else branch"),
        (f"{IF}[{A}] [])", "1:1", "(if …): if has no else branch"),
        (f"{IF}[] [{A}])", "1:1", "then branch of if is empty"),
        ("(if)", "1:1", "(if …): has 0 arguments; expected (if condition [then…] [else…])"),
        (f"(if 5 [{A}] [{A}])", "1:5", "(if …): found 5; expected a condition"),
        (f'(if (rsi "S") [{A}] [{A}])', "1:5", "found an indicator; expected a condition"),
        ('(> (rsi "S"))', "1:1", "(> …): has 1 argument; expected (> left right)"),
        ("(> 1 2 3)", "1:1", "(> …): has 3 arguments"),
        ('(< (rsi "S") "70")', "1:14", '(< …): found "70"; expected an indicator or a number'),
        ("(< (rsi {:window 5}) 7)", "1:4", "found (rsi …) without a symbol; expected an indicator"),
        ("(and)", "1:1", "and is empty; it needs at least one condition"),
        ("(or (> 1 2) 3)", "1:13", "(or …): found 3; expected a condition"),
        ("(not (> 1 2) (> 1 2))", "1:1", "(not …): has 2 arguments; expected (not condition)"),
        ("(> 1e999 2)", "1:1", "(> …): number inf is not finite"),
        # metrics and windows
        ('(rsi "S" {:window 0})', "1:1", "(rsi …): rsi window is 0; it must be a whole number from 1 to"),
        ('(rsi "S" {:window -5})', "1:1", "rsi window is -5"),
        ('(rsi "S" {:window 2.5})', "1:1", "rsi window is '2.5'"),
        ('(rsi "S" {:window 99999999999999999999999})', "1:1", "must be a whole number from 1 to"),
        ('(rsi "S" {:window 1e999})', "1:1", "must be a whole number from 1 to"),
        ('(rsi "S" {:window "ten"})', "1:10", 'found "ten"; expected a whole number'),
        ('(rsi "S" {:windw 5})', "1:1", "rsi has no option 'windw'; its options: window"),
        ('(rsi "S" {:window})', "1:11", "(rsi …): a map has a key without a value"),
        ('(rsi "S" {window 5})', "1:11", "(rsi …): a map has the key window; expected a keyword"),
        ('(rsi "S" {:window 5, :window 6})', "1:22", "option :window is given twice"),
        (f'(rsi "S" {{:window {A}}})', "1:19", "option :window is a portfolio; expected a number"),
        ('(rsi "S" 5 6)', "1:1", '(rsi …): has 3 arguments; expected (rsi "SYMBOL" {:option N})'),
        ("(rsi S)", "1:6", '(rsi …): found S; expected a symbol in "quotes" or {:window N}'),
        ('(stdev-return "S" {:window 1})', "1:1", "needs at least 2"),
        # filters
        (f"(filter (rsi) [{A}])", "1:1", "expected (filter (metric {:window N}) (select-top K) [child…])"),
        (f'(filter (rsi "S") (select-top 1) [{A}])', "1:9", "found an indicator; expected a metric"),
        (f"(filter (rsi) 1 [{A}])", "1:15", "found 1; expected (select-top K) or (select-bottom K)"),
        (f"(filter (rsi) (select-top 0) [{A}])", "1:1", "filter select-top is 0; it must be a whole number from 1"),
        (f"(filter (rsi) (select-top) [{A}])", "1:15", "(select-top …): has 0 arguments"),
        (f"(filter (rsi) (select-middle 1) [{A}])", "1:16", "unknown operator select-middle"),
        ("(filter (rsi) (select-top 1) [])", "1:1", "filter has no candidates"),
        # options of a symphony
        (f'(defsymphony "x" {A})', "1:1", 'has 2 arguments; expected (defsymphony "name" {options} body)'),
        (f'(defsymphony "x" {A} {A})', "1:18", "found a portfolio; expected a map of options"),
        (f"(defsymphony x {{}} {A})", "1:14", "expected the symphony's name"),
        (f'(defsymphony "x" {{:tax 1}} {A})', "1:18", "unknown option :tax; expected one of :asset-class"),
        (f'(defsymphony "x" {{:asset-class "CRYPTO"}} {A})', "1:18", 'asset class is "CRYPTO"; expected "EQUITIES"'),
        (f'(defsymphony "x" {{:rebalance-frequency 5}} {A})', "1:18", "rebalance frequency is 5; expected :daily"),
        (f'(defsymphony "x" {{:rebalance-frequency :hourly}} {A})', "1:1", "unknown rebalance frequency 'hourly'"),
        (f'(defsymphony "x" {{:rebalance-threshold 2}} {A})', "1:1", "must be a weight between 0 and 1"),
        (f'(defsymphony "x" {{:rebalance-threshold x}} {A})', "1:18", "rebalance threshold is x; expected a number"),
        (
            f'\n(defsymphony "x" {{:rebalance-frequency :daily :rebalance-threshold 0.1}} {A})',
            "2:1",
            "(defsymphony …): a strategy has either a rebalance frequency or a rebalance threshold",
        ),
    ],
)  # fmt: skip
def test_errors_name_the_place_the_operator_and_what_was_expected(text: str, place: str, words: str) -> None:
    message = complaint(text)
    assert message.startswith(f"f.clj:{place}: "), message
    assert words in message


def test_lines_are_counted_through_strings_comments_and_windows_line_ends() -> None:
    assert complaint('; one\r\n(group "two\nthree" ; (\r\n  [(asset "A")\n\t(asset 5)])').startswith("f.clj:5:9: ")


def test_a_form_that_occurs_twice_is_blamed_where_it_occurs_first() -> None:
    assert complaint(f'(weight-equal [{A}\n(rsi "S" {{:window 0}})\n(rsi "S" {{:window 0}})])').startswith(
        "f.clj:2:1: "
    )


def test_a_long_token_is_shortened() -> None:
    assert len(complaint("(" + "x" * 100_000 + ")")) < 1000


def test_a_text_that_is_too_long_is_refused_unread() -> None:
    assert f"a symphony may have {MAX_CHARACTERS}" in complaint(" " * (MAX_CHARACTERS + 1))
