"""What is allowed.

Records (``model``), what profiles permit (``policy``), the facts that a rule may ask for (``facts``), the answer and
the changes that make it true (``decision``), derived tokens (``tokens``), and the rules: one module per subject, one
per grant type. Pure: no I/O, clock, dice or logger. A rule is handed its facts and its ``Moment``.
"""
