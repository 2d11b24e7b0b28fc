"""Tests of EnvíaTuSMS's client."""
