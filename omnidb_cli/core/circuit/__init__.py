"""Circuit breakers: the pure model, and the breaker around calls."""
