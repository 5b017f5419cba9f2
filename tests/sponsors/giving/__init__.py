"""Tests of how a sponsor comes and promises."""
