"""Pages of plans and inspections, as HTML without anything from outside."""
