"""What single releases computed otherwise than their configuration says today, a module for each generation."""
