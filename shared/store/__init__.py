"""All SQL, one module per aggregate; functions take the connection first."""
