"""A whole installation as rows: out of one database and into another, of the same engine or of the other.

Rows travel as they stand: what is sealed stays sealed, so a file of them is of no use without the master key.
``file`` is how they are written and read, in one pass each; ``tables`` is what both engines have in common; ``sqlite`` and
``postgres`` read all rows of one moment, and take them in, all of them or none.
"""
