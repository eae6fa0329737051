"""Verification: runs both sides of a conversion, and compares every layer."""
