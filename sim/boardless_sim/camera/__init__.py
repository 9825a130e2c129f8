"""What the firmware sees: frames, their sources, and the sensor."""
