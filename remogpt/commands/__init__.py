"""Run the commands: one file each, which parses arguments, calls the library and prints.

Each module has `add_arguments(parser)` and `run(args) -> exit code`; its docstring is the command's help.
"""
