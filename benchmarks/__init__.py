"""mensasdk measured beside what a user would pick instead: ``python -m benchmarks``.

==================== ===================================================================================================
`__main__`           the command: which parts to run, how long, and where the results go
`server`             the fixed answers: nginx where installed, else `raw_server`, in a process and on a core of its own
`worker`             a contender in a process of its own, told by its parent when to do a round
`measure`            CPU time, wall time, peak memory; medians and their spread
`machine`            what it ran on, and how busy that was
`calls`              (a) one message per call, against `contenders`
`campaigns`          (b), (c), (d) the batched sender
`decoding`           (e) a report of 1,000 recipients from JSON, XML and TXT
`limits`             (f) the rate limiter
`texts`              (g) counting the parts of a text, by `bench_text`
`bytecode`           has fresh interpreters find their bytecode
`imports`            (h) what an import costs
`goals`              what is to be reached, and whether it was
`report`, `plots`    tables, plots, and docs/benchmarks.md from ``template.md``
`instructions`       instructions and tracked objects beside ``baseline.json``, counted by `counting` under valgrind
==================== ===================================================================================================
"""
