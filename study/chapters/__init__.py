"""What each chapter of the book computes: typed results, tables, figures and findings.

A chapter is one class (base.Chapter), built from the parameters of its notebook. It reads released
runs and sweeps, or measures and trains what a smaller budget lacks. Each of its methods is one table,
one figure or one block of sentences. Findings are templates beside the numbers that choose between
them (findings.py).
"""
