"""The retrievers' networks: TMR, PL-TMR, MotionPatches, and the text towers."""
