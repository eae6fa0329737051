"""Scripts for interpreters that need not have kconvert: in words of Python 2.7 and 3.5, without any other import."""
