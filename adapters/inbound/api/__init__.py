"""HTTP `/v1`: one module per resource; routes translate, nothing more."""
