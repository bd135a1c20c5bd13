"""What each strategy holds and earned: lots, their records, and how fills are split among strategies."""
