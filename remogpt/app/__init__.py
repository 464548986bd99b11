"""Build what people look at: the demonstration page."""
