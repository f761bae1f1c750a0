"""Where connections are kept: the port, in memory, and in sealed files."""
