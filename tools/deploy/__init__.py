"""What deploys and proves deploy/template.yaml without an account: expansion, roles, recorded calls."""
