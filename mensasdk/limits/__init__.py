"""Limit a campaign: rates, circuit breakers and budgets."""

from mensasdk.limits.breaker import CircuitBreaker
from mensasdk.limits.budget import Budget
from mensasdk.limits.rate import LimiterStatistics, RateLimit, RateLimiter, Unlimited
from mensasdk.limits.window import WindowLimiter

__all__ = [
    "Budget",
    "CircuitBreaker",
    "LimiterStatistics",
    "RateLimit",
    "RateLimiter",
    "Unlimited",
    "WindowLimiter",
]
