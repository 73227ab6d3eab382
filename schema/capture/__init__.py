"""Capture: triggers that write down which rows change, whoever changes them.

shape      what is captured of a table, as a value
row_key    a row's key as bytes, in SQL and back
columns    the invisible columns of a captured row, and the graveyard's
triggers   the text of the triggers
"""
