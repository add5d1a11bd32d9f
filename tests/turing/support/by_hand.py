"""Formulas as they are printed, without a library."""


def by_loops(participant, photo, shares):
    """A, B and C straight from their definition; `shares` is each choice's share of the error."""
    total = {}
    for kind, labels in (
        ("A", participant),
        ("B", photo),
        ("C", list(zip(participant, photo, strict=True))),
    ):
        sums = {}
        for label, share in zip(labels, shares, strict=True):
            sums[label] = sums.get(label, 0.0) + share
        k = len(sums)
        total[kind] = k / (k - 1) * sum(s * s for s in sums.values()), k
    return total
