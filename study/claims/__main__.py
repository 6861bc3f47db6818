"""`python -m study.claims NAME ...`: judge claims; missing networks and measurements are made first.

What is in the store is used, so that with the released results a verdict takes seconds.
"""

from __future__ import annotations

import argparse

from study import configs
from study.claims import claims, page
from study.claims.store import Store
from study.claims.verdicts import Verdict


def main(arguments: list[str] | None = None) -> None:
    """Judge, print."""
    parser = argparse.ArgumentParser("python -m study.claims", description=__doc__.splitlines()[0])
    parser.add_argument(
        "names", nargs="*", help="claims, as data/paper/claims.yml names them; default: all"
    )
    parser.add_argument("--profile", default="laptop", choices=list(configs.PROFILES))
    parser.add_argument("--stored", action="store_true", help="train and measure nothing")
    given = parser.parse_args(arguments)
    known = claims.claims()
    if unknown := [name for name in given.names if name not in known]:
        parser.error(f"no claim is called {', '.join(unknown)}; there are {', '.join(known)}")
    for name in given.names or known:
        store = Store(configs.profile(given.profile), make=not given.stored)
        print(report(known[name], claims.judge(known[name], store), store), flush=True)


def report(claim: claims.Claim, verdict: Verdict, store: Store) -> str:
    """A verdict as lines of text."""
    lines = [
        f"{claim.name} ({claim.section}): {verdict.level.upper()}",
        f"  the paper: {claim.quote}",
        f"  tested:    {claim.statement}",
        f"  found:     {verdict.evidence}",
    ]
    if verdict.beside:
        lines.append(f"  also:      {verdict.beside}")
    if store.sure():
        lines.append(f"  how sure:  {store.sure()}")
    cost = store.cost()
    if cost.minutes:
        lines.append(
            f"  made in:   {page.time(cost.minutes)} ({cost.device}), up to {cost.memory_mb} MiB"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
