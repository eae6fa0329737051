"""Helpers for output: formatted numbers, terminal tables, HTML pages and charts. It depends on no other room."""
