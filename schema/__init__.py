"""What is stored and exchanged, each fact once: keys, items, object layout, endpoints, job kinds, limits, names.

Plain data and pure functions, and what all sides need in the same form: the retry loop and DynamoDB's typed values.
Uses the standard library only, so that every other package may import it. The bundle of a function holds only those
modules that its handler imports.
"""
