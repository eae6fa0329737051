"""What MkDocs needs to make the pages of `docs/` a site (`make site`)."""
