"""Where records live. One port (``port``), one conformance suite, several implementations."""
