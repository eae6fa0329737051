"""What values draw themselves with: number words, terminal tables, HTML pages and charts. It knows no value."""
