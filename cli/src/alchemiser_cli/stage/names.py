"""What deploy/template.yaml is made of: its phases, the services that have a function, the types that hold state."""

PHASES = ("monolith", "staged", "shadow", "cutover", "modular")
"""In the order of the rollout; a stage moves to a neighbour only."""

SERVICES = ("monolith", "data", "strategy", "trading")
"""Each has an image, and a function in some of the phases."""

RECEIVES = {"MarketDataQueue": 3, "TradeDecisionQueue": 7}
"""How often each queue gives a message to its function before it goes to the dead letters."""

STATEFUL = frozenset(
    {
        "AWS::DynamoDB::Table",
        "AWS::ECR::Repository",
        "AWS::Events::Archive",
        "AWS::Events::EventBus",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::SQS::Queue",
    }
)
"""What holds something that cannot be made again. No change may replace or remove it."""
