package shop.orders

default allow := false

allow if input.user == "u1"

echo := input

nul := null

undef if input.nothing == "x"

strict if io.jwt.decode("x")

arr := ["a", "b"]

names := {"b", "a"}

obj := {"b": [1, 2], "1": "one", "empty": {}, "none": [], "<k>": "\"[{,: \\"}

big := 12345678901234567890

kinds contains k if {
	some k in ["present"]
	input
}
