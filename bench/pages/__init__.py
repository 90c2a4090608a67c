"""How quickly the web pages answer for a big shop."""
