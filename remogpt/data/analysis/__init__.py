"""What a set holds: feature statistics, similar captions, dissimilar subsets."""
