"""Benchmarks of mensasdk beside the libraries that a user might choose instead: ``python -m benchmarks``.

==================== ===================================================================================================
`__main__`           the command, with options for the parts, the sizes and the results
`server`             fixed answers from nginx if it is installed, else from `raw_server`, on a core of its own
`worker`             a contender in a process of its own, which does a round when its parent says so
`measure`            CPU time, wall time, peak memory; medians and their spread
`machine`            the machine and its load
`calls`              (a) one message per call, beside the `contenders`
`campaigns`          (b), (c), (d) the batched sender
`decoding`           (e) reading a report of 1,000 recipients from JSON, XML and TXT
`limits`             (f) the rate limiter
`texts`              (g) counting the parts of a text, by `bench_text`
`bytecode`           a cache of bytecode for fresh interpreters
`imports`            (h) the cost of an import
`goals`              the goals, and whether a run reached them
`report`, `plots`    tables, plots, and docs/benchmarks.md from ``template.md``
`instructions`       instructions and tracked objects beside ``baseline.json``, counted by `counting` under valgrind
==================== ===================================================================================================
"""
