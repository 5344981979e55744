"""factsheets: content, publication, pictures, the glossary, and what readers get."""
