"""Amazon Web Services: master keys at KMS, objects and the erasure ledger at S3."""
