"""Make captioned motion: draw scripts, animate them by kinematics, describe them by a grammar, list checkable facts."""
