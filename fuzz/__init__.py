"""Mutated inputs for every reader: nothing but clear errors may come of them.

    python -m fuzz --inputs 20000            # about ten minutes on one core
    python -m fuzz --seconds 60              # as in CI
    python -m fuzz --only bvh,set --seed 7 --inputs 500

Beside it: `fuzz.bits` flips single bits of a model and a database, `fuzz.kills` kills every command that writes, and
runs each on a full disk, without rights, with few file handles and twice at once.

A finding is an error that is no `RemogptError`, more than 10 seconds, more than 1 GiB, a file written outside the
fuzzer's folder, a body that no person has, or a command that ends in an error that nobody foresaw. Each is kept in
`fuzz/findings/` with the seed that makes it again.
"""
