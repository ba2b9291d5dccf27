"""The composition root: reads the settings, starts and stops the processes, tells each which streams are its own."""
