"""Find, read and write model folders and their components, safely."""
