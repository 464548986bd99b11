"""Tell the joints of any human skeleton: by their names' anatomy, then by the tree's shape and symmetry."""
