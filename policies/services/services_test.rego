package services_test

import data.services

# The tests sign tokens of their own with the key of RFC 8037, appendix A: everybody knows it, so nothing else may.
public := {"kty": "OKP", "kid": "tests", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}

private := object.union(public, {"d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"})

signed(claims) := io.jwt.encode_sign({"alg": "EdDSA", "typ": "JWT", "kid": "tests"}, claims, private)

# A Wednesday, 2026-03-04, at noon in London.
noon := time.parse_rfc3339_ns("2026-03-04T12:00:00Z")

# The clock of io.jwt.decode_verify is the real one, whatever time.now_ns is replaced by: these ends are far from it.
in_2099 := time.parse_rfc3339_ns("2099-01-01T00:00:00Z") / 1000000000

in_2020 := time.parse_rfc3339_ns("2020-01-01T00:00:00Z") / 1000000000

fresh := {"iss": "https://issuer.test", "sub": "shop", "aud": "bank", "scope": "pay read", "exp": in_2099}

networks := {"inside": ["10.1.0.0/16", "fd00:1::/32"], "desk": ["192.0.2.7"]}

weekdays := {"days": ["Wednesday"], "from": "09:00", "to": "17:30", "zone": "America/New_York"}

nights := [
	{"days": ["Wednesday"], "from": "22:00", "to": "24:00", "zone": "UTC"},
	{"days": ["Thursday"], "from": "00:00", "to": "06:00", "zone": "UTC"},
]

operations := {"bank": {
	"pay": {
		"scope": "pay",
		"ttl": 5,
		"callers": {"shop": {"networks": ["inside"], "regions": ["north"]}},
	},
	"read": {
		"scope": "read",
		"callers": {
			"shop": {"networks": ["desk", "inside"]},
			"desk": {"networks": []},
		},
	},
	"close": {"scope": "pay", "callers": {"shop": {"networks": ["inside"], "hours": [weekdays]}}},
	"count": {"scope": "pay", "callers": {"shop": {"networks": ["inside"], "hours": nights}}},
	"move": {"scope": "pay", "callers": {"shop": {"networks": ["inside"], "until": "2026-03-04T12:00:01Z"}}},
	"merge": {"scope": "pay", "callers": {"shop": {"networks": ["inside"], "until": "some day"}}},
	"mark": {"scope": "pay", "callers": {"shop": {"networks": ["inside"], "hours": [{"zone": "Nowhere"}]}}},
}}

call(operation) := {
	"subject": {"type": "service", "id": "shop"},
	"action": {"name": operation},
	"resource": {"type": "service", "id": "bank"},
	"context": {"token": signed(fresh), "ip": "10.1.2.3", "region": "north"},
}

but(asked, path, value) := json.patch(asked, [{"op": "add", "path": path, "value": value}])

decided_at(asked, now) := decision if {
	decision := services.decision with input as asked
		with data.services.issuer as "https://issuer.test"
		with data.services.keys as [public]
		with data.services.networks as networks
		with data.services.operations as operations
		with time.now_ns as now
	is_boolean(decision.allow)
}

decided(asked) := decided_at(asked, noon)

permitted(asked) if decided(asked).allow == true

objections(asked) := reasons if {
	{"allow": false, "reasons": reasons} = decided(asked)
}

test_a_listed_caller_may_call if {
	decided(call("pay")) == {
		"allow": true,
		"reasons": {"the caller is listed, its token holds, and it calls from where and when it may"},
		"ttl": 5,
	}
}

test_a_permit_without_a_ttl_says_none if {
	not "ttl" in object.keys(decided(call("read")))
	permitted(call("read"))
}

test_allow_is_the_same_decision if {
	services.allow with input as call("pay")
		with data.services.issuer as "https://issuer.test"
		with data.services.keys as [public]
		with data.services.networks as networks
		with data.services.operations as operations
		with time.now_ns as noon
	not services.allow with input as call("pay")
}

test_the_operation_must_be_known if {
	every path in ["/action/name", "/resource/id", "/resource/type"] {
		"the operation is not known" in objections(but(call("pay"), path, "other"))
	}
}

test_the_caller_must_be_listed if {
	unlisted := {"the caller may not call this operation"}
	objections(but(call("pay"), "/subject/type", "user")) == unlisted
	other := but(call("pay"), "/subject/id", "desk")
	token := signed(object.union(fresh, {"sub": "desk"}))
	objections(but(other, "/context/token", token)) == unlisted
}

test_a_listed_caller_without_networks_calls_from_nowhere if {
	other := but(call("read"), "/subject/id", "desk")
	token := signed(object.union(fresh, {"sub": "desk"}))
	objections(but(other, "/context/token", token)) == {"the caller may not call from this network"}
}

test_the_token_must_hold if {
	every claims in [
		object.union(fresh, {"iss": "https://other.test"}),
		object.union(fresh, {"aud": "other"}),
		object.union(fresh, {"aud": ["other", "another"]}),
		object.remove(fresh, ["iss"]),
		object.remove(fresh, ["aud"]),
		object.union(fresh, {"exp": in_2020}),
		object.union(fresh, {"nbf": in_2099}),
	] {
		objections(but(call("pay"), "/context/token", signed(claims))) == {"the token is not valid for this service"}
	}
}

test_a_token_may_be_for_many_services if {
	permitted(but(call("pay"), "/context/token", signed(object.union(fresh, {"aud": ["other", "bank"]}))))
}

test_the_signature_must_be_the_issuers if {
	[header, payload, signature] := split(signed(fresh), ".")
	[_, others, _] := split(signed(object.union(fresh, {"scope": "pay read close"})), ".")
	unsigned := base64url.encode_no_pad(`{"alg":"none"}`)
	every token in [
		concat(".", [header, others, signature]),
		concat(".", [header, payload, ""]),
		concat(".", [unsigned, payload, ""]),
		io.jwt.encode_sign({"alg": "HS256"}, fresh, {"kty": "oct", "k": base64url.encode_no_pad(public.x)}),
		"",
		"a.b.c",
		"no token",
	] {
		objections(but(call("pay"), "/context/token", token)) == {"the token is not valid for this service"}
	}
}

test_there_must_be_a_token if {
	objections(json.remove(call("pay"), ["context/token"])) == {"the token is not valid for this service"}
}

test_the_token_must_be_the_callers if {
	every claims in [object.union(fresh, {"sub": "desk"}), object.remove(fresh, ["sub"])] {
		objections(but(call("pay"), "/context/token", signed(claims))) == {"the token speaks for another caller"}
	}
}

test_the_token_must_have_the_scope if {
	every claims in [
		object.union(fresh, {"scope": "read"}),
		object.union(fresh, {"scope": "payments"}),
		object.union(fresh, {"scope": ""}),
		object.union(fresh, {"scope": ["pay"]}),
		object.remove(fresh, ["scope"]),
	] {
		objections(but(call("pay"), "/context/token", signed(claims))) == {"the token lacks the scope of this operation"}
	}
}

test_the_network_must_be_granted if {
	every ip in ["10.2.0.1", "192.0.2.7", "fd00:2::1", "10.1.2", "", "cluster"] {
		objections(but(call("pay"), "/context/ip", ip)) == {"the caller may not call from this network"}
	}
	objections(json.remove(call("pay"), ["context/ip"])) == {"the caller may not call from this network"}
	every ip in ["10.1.0.0", "10.1.255.255", "fd00:1::1"] {
		permitted(but(call("pay"), "/context/ip", ip))
	}
}

test_the_region_must_be_granted if {
	objections(but(call("pay"), "/context/region", "south")) == {"the caller may not call from this region"}
	objections(json.remove(call("pay"), ["context/region"])) == {"the caller may not call from this region"}
	permitted(but(call("read"), "/context/region", "south"))
}

at(operation, moment) := decided_at(call(operation), time.parse_rfc3339_ns(moment))

late := {"allow": false, "reasons": {"the caller may not call at this hour"}}

test_hours_begin_and_end_on_the_clock_of_their_zone if {
	at("close", "2026-03-04T13:59:59Z") == late
	at("close", "2026-03-04T14:00:00Z").allow
	at("close", "2026-03-04T22:29:59Z").allow
	at("close", "2026-03-04T22:30:00Z") == late
	at("close", "2026-03-05T15:00:00Z") == late
}

test_hours_over_midnight_are_two if {
	at("count", "2026-03-04T21:59:59Z") == late
	at("count", "2026-03-04T23:59:59Z").allow
	at("count", "2026-03-05T00:00:00Z").allow
	at("count", "2026-03-05T06:00:00Z") == late
}

test_a_permission_ends if {
	ended := {"allow": false, "reasons": {"the caller's permission has ended"}}
	at("move", "2026-03-04T12:00:00Z").allow
	at("move", "2026-03-04T12:00:01Z") == ended
	decided(call("merge")) == ended
}

test_hours_that_cannot_be_read_permit_nothing if decided(call("mark")) == late

test_everything_that_speaks_against_a_call_is_said if {
	asked := but(but(call("pay"), "/context/ip", "192.0.2.7"), "/context/region", "south")
	objections(asked) == {"the caller may not call from this network", "the caller may not call from this region"}
	objections({}) == {"the operation is not known", "the token is not valid for this service"}
}

# Of the data that is pushed: a limit with a misspelt name would limit nothing, and nobody would know.
test_every_operation_is_written_in_full if {
	every service in data.services.operations {
		every operation in service {
			object.keys(operation) - {"ttl"} == {"scope", "callers"}
			every grant in operation.callers {
				"networks" in object.keys(grant)
				object.keys(grant) - {"networks", "regions", "hours", "until"} == set()
				is_array(object.get(grant, "regions", []))
				every name in grant.networks {
					data.services.networks[name]
				}
				every hours in object.get(grant, "hours", []) {
					object.keys(hours) == {"days", "from", "to", "zone"}
					time.weekday([0, hours.zone])
				}
				time.parse_rfc3339_ns(object.get(grant, "until", "2026-01-01T00:00:00Z"))
			}
		}
	}
}
