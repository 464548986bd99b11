"""Where captioned motion comes from: folders in HumanML3D's layout, motion-capture importers, the procedural set."""
