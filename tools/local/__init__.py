"""The parts of AWS that moto does not play: what feeds the functions, so that their containers run on one machine."""
