"""The same door as it is usually built, each as its documentation shows it."""
