"""Captioned motion of our own: scripts drawn, animated by kinematics, described by a grammar, with checkable facts."""
