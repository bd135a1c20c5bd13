"""AWS list prices in USD, us-east-1, as known on the date below: AWS's word counts, so check them."""

from dataclasses import dataclass

AS_OF = "2026-11-25"
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """USD for `per` units, of which `free` a month cost nothing in any account, for ever."""

    unit: str
    usd: float
    per: int = 1
    free: float = 0

    def cost(self, quantity: float, *, free_tier: bool) -> float:
        """USD for a month's quantity."""
        return max(0.0, quantity - (self.free if free_tier else 0)) * self.usd / self.per


LAMBDA_TIME = Price("GB-second", 16.6667, MILLION, free=400_000)
LAMBDA_REQUEST = Price("invocation", 0.20, MILLION, free=MILLION)
SQS_FIFO = Price("request of up to 64 KB", 0.50, MILLION, free=MILLION)
DYNAMODB_WRITE = Price("write unit (1 KB)", 0.625, MILLION)
DYNAMODB_READ = Price("read unit (4 KB)", 0.125, MILLION)
DYNAMODB_STORAGE = Price("GB-month", 0.25, free=25)
DYNAMODB_BACKUP = Price("GB-month", 0.20)
S3_PUT = Price("PUT, LIST", 5.0, MILLION)
S3_GET = Price("GET", 0.4, MILLION)
S3_STORAGE = Price("GB-month", 0.023)
ECR_STORAGE = Price("GB-month", 0.10)
SECRET = Price("secret-month", 0.40)
SECRET_CALL = Price("call", 5.0, MILLION)
EVENT = Price("event of up to 64 KB", 1.0, MILLION)
SCHEDULE = Price("invocation", 1.0, MILLION, free=14 * MILLION)
LOGS = Price("GB taken in", 0.50, free=5)
METRIC = Price("metric-month", 0.30, free=10)
ALARM = Price("alarm metric-month", 0.10, free=10)
DASHBOARD = Price("dashboard-month", 3.0, free=3)
