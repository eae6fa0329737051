"""The script that the documentation shows is no module of tests."""

collect_ignore = ["line.py"]
