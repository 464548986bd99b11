"""Make a set in HumanML3D's layout, with mirror images, of recordings in many folders and formats.

from remogpt.data.prepare.prepare import prepare_set
prepare_set(["AMASS", "bvh"], "sets/mine", captions="captions.csv", body_model="body_models")
"""
