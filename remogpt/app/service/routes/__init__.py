"""The HTTP API, version 1: each route reads a question, asks the service, and writes the answer in the wanted format."""
