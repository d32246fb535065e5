"""What the read API and the console share: an application served on an address."""
