"""The keywords of the Robot library, one class an area of the board."""
