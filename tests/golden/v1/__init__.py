"""The first format: records 1, trails 1, layout 1 of both stores. Never edited."""
