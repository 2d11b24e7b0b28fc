"""What a careful sender wants to know and prevent before paying: opt-outs, hours, cost."""
