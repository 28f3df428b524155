"""What people see: cards, figures and the notebooks that draw them."""
