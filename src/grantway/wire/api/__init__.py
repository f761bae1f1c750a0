"""The operator's JSON API in words: its messages, how they are read and written, and how it says no.

Messages are msgspec structs: the same declaration reads strictly, writes, and gives the JSON Schema that the OpenAPI
document shows. A request message refuses members that it does not know; an answer may grow.
"""
