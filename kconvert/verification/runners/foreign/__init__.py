"""Scripts for interpreters without kconvert. They run on Python 2.7 and 3.5, and import nothing of kconvert."""
