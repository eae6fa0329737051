"""Verification: both sides of a conversion are run, and every layer is compared."""
