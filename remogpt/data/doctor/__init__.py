"""Examine a set of captioned motions: what is missing, broken or wrong in it, file by file, with the remedy.

from remogpt.data.doctor.examine import examine
report = examine("datasets/HumanML3D")
for finding in report.findings:
    print(finding)
"""
