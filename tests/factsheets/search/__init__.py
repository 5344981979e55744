"""factsheets/search: finding sheets, and red flags in what people search for."""
