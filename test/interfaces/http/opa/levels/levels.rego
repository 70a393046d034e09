package levels

default allow := false

allow if {
	trace("checking")
	input.user == "alice"
	owner
}

allow if input.admin

owner if {
	some x in ["bob", "carol"]
	x == input.user
}
