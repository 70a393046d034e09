package shop.other

x := 1

y if false
