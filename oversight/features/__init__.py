"""Change + Context -> Example: measures, edit facts and hashed tokens."""

from oversight.features.example import CONTENT_SCHEMA, SCHEMA, featurise
from oversight.features.facts import FACTS
from oversight.features.model import Example
from oversight.features.tokens import HASH_BUCKETS

__all__ = ["CONTENT_SCHEMA", "FACTS", "HASH_BUCKETS", "SCHEMA", "Example", "featurise"]
