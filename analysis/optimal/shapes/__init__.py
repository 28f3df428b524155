"""The best function of each shape (pieces, gates, rational functions, tables), and bounds that none of them beats."""
