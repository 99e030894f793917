"""Pictures cut down to what they show, by what their formats say is needed for it."""
