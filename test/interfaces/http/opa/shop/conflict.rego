package shop.broken

conflict := 1 if true

conflict := 2 if true
