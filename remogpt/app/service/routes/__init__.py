"""The HTTP API, version 1: each route reads a question, asks the service and answers in the wanted format."""
