"""`pico doctor`: reads what stands, and says clause by clause whether it keeps the policy. It changes nothing."""
