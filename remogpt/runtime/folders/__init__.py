"""Model folders and their components: finding, reading, writing, and loading safely."""
