"""Emergency advice, the self-assessment, and words that sound like a warning sign."""
