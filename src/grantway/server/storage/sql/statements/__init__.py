"""Every statement that asks for or changes something, with a sentence each. Marks are numbered, values are bound.

``rows`` are those that all kinds of records have alike; the others stand by their subject, ``sweeping`` last. A listing
that is newest first goes backwards from an id in the index that finds it, so that a late page costs what the first does.
"""
