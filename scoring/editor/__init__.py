"""What the pages of the scoring editor are made of: the document in parts, its forms, its views."""
