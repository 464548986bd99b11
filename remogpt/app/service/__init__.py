"""Answer over HTTP: one model behind one thread, jobs that outlive the process, uploads that cannot leave their folder.

request -> guard (size, origin, key) -> routes -> Service -> ModelThread (writes waiting requests together) -> answer
"""
