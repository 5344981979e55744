"""What programs read: linked data, feeds, the sitemap, social cards, icons, and the files that robots look for."""
