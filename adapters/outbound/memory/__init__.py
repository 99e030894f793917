"""The whole outside as fakes: the test kit."""
