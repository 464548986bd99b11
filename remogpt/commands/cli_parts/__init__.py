"""What several commands share: the parser, common options, captions and motion files as arguments."""
