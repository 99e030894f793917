"""`./pico rehearse`: Production on loopback, under load, while its processes die, are added and are rolled."""
