"""Events: what happened, who hears of it, and how a change becomes one."""
