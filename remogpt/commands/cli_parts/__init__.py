"""Share between commands: the parser, common options, captions and motion files as arguments."""
