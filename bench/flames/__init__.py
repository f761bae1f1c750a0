"""Where the CPU of a request goes: a flame graph for each operation and a table by part, before and after."""
