"""Redis, or Valkey: for what all processes share and nobody misses when it is gone."""
