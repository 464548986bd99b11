"""One file per command: it parses, calls and prints; the work is done in the rooms.

Each module has `add_arguments(parser)` and `run(args) -> exit code`; its docstring is the command's help.
"""
