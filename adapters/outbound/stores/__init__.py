"""Apple's and Google's stores: how a purchase stands there, and what they tell of one."""
