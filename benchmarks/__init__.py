"""Measurements that go into results/, each with its provenance."""
