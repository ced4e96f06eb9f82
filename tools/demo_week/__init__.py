"""The made-up week that `undertag demo` tags: what Windows writes, the innocent days, the one attack.

Contract: a function of a seed alone. Every name, address and hash is invented; addresses are of the ranges kept for
documentation, names of the domain `example`.
"""
