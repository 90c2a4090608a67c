"""`stocksync probe`: asks a real sandbox what the stock protocol rests on and no documentation promises."""
