"""The KLM strategy: variant 506/38 alone, as it has always traded, or the most volatile of all eight, as intended."""

from alchemiser_strategy.engine.nodes import Symphony, Ties
from alchemiser_strategy.strategies.klm_variants import Reading, variant, variant_names
from alchemiser_strategy.strategies.vocabulary import Vocabulary


def klm() -> Symphony:
    """Variant 506/38: the ensemble never recorded a return, so its first variant always won."""
    b = Vocabulary()
    return b.symphony("klm", variant(b, "506/38", Reading.AS_BUILT))


def klm_ensemble() -> Symphony:
    """The variant whose simulated daily returns had the highest standard deviation over five days.

    Equals go to the variant listed first; a variant without six days of its own series does not compete.
    """
    b = Vocabulary()
    variants = [b.group(name, [variant(b, name, Reading.INTENDED)]) for name in variant_names()]
    return b.symphony("klm-ensemble", b.filter_("stdev-return", 5, "top", 1, variants, ties=Ties.LISTED))
