"""What the system costs on AWS: calls counted in a real cycle, list prices, and the arithmetic between them."""

from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cost.md"
MEASURED = Path(__file__).with_name("measured.json")
