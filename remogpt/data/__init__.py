"""Read and make captioned motion: folders in HumanML3D's layout, motion-capture importers, the procedural set."""
