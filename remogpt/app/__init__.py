"""What people look at: the demonstration page. A web page with an HTTP API belongs here too."""
