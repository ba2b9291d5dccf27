"""What each worker process is: the services of a role put together."""
