"""What is stored and exchanged, each fact once: keys, items, object layout, endpoints, job kinds, limits, names.

Plain data and pure functions, standard library only, so that every other package may import it. The bundle of a
function holds only those modules that its handler imports.
"""
