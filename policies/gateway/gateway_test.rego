package gateway_test

import data.gateway

# Users and routes of these tests are the tests' own: real ones may come and go.
users := {
	"id-anna": {"roles": ["admin"]},
	"id-ed": {"roles": ["viewer", "editor"]},
	"id-vic": {"roles": ["viewer"]},
	"id-none": {"roles": []},
}

routes := {
	"/ping": {"GET": {"open": true}},
	"/books": {
		"GET": {"roles": ["admin", "editor", "viewer"], "scope": "books:read"},
		"POST": {"roles": ["admin", "editor"], "scope": "books:write"},
	},
	"/books/{id}": {"DELETE": {"roles": ["admin"]}},
}

request(subject, method, route) := {
	"subject": subject,
	"action": {"name": method},
	"resource": {"type": "route", "id": route},
}

identity(name) := {"type": "identity", "id": concat("", ["id-", name])}

client(scope) := {"type": "client", "id": "importer", "properties": {"scope": scope}}

decided(asked) := decision if {
	decision := gateway.decision with input as asked with data.gateway.users as users with data.gateway.routes as routes
	decision.allow == gateway.allow with input as asked with data.gateway.users as users with data.gateway.routes as routes
}

permit(reason) := {"allow": true, "reasons": {reason}}

refusal(reason) := {"allow": false, "reasons": {reason}}

test_a_role_opens_the_methods_that_name_it if {
	by_role := permit("a role of the user permits this method")
	every name in ["anna", "ed", "vic"] {
		decided(request(identity(name), "GET", "/books")) == by_role
	}
	every name in ["anna", "ed"] {
		decided(request(identity(name), "POST", "/books")) == by_role
	}
	decided(request(identity("anna"), "DELETE", "/books/{id}")) == by_role
}

test_no_role_opens_a_method_that_does_not_name_it if {
	no_role := refusal("no role of the user permits this method")
	decided(request(identity("vic"), "POST", "/books")) == no_role
	decided(request(identity("ed"), "DELETE", "/books/{id}")) == no_role
	decided(request(identity("none"), "GET", "/books")) == no_role
}

test_a_scope_opens_the_methods_that_name_it if {
	by_scope := permit("the scope of the token permits this method")
	decided(request(client("books:read"), "GET", "/books")) == by_scope
	decided(request(client("profile books:write"), "POST", "/books")) == by_scope
}

test_a_scope_is_compared_whole if {
	no_scope := refusal("the scope of the token does not permit this method")
	every scope in ["", "books", "books:readers", "books:write", "BOOKS:READ"] {
		decided(request(client(scope), "GET", "/books")) == no_scope
	}
	decided(request({"type": "client", "id": "importer"}, "GET", "/books")) == no_scope
}

test_a_method_without_a_scope_is_no_client_s if {
	no_scope := refusal("the scope of the token does not permit this method")
	decided(request(client(""), "DELETE", "/books/{id}")) == no_scope
	decided(request(client("books:write"), "DELETE", "/books/{id}")) == no_scope
}

test_a_user_is_not_helped_by_a_scope_nor_a_client_by_a_user_s_id if {
	claiming := object.union(identity("vic"), {"properties": {"scope": "books:write", "roles": ["admin"]}})
	decided(request(claiming, "POST", "/books")) == refusal("no role of the user permits this method")
	posing := {"type": "client", "id": "id-anna"}
	decided(request(posing, "POST", "/books")) == refusal("the scope of the token does not permit this method")
}

test_an_open_route_is_open_to_everyone if {
	open := permit("the route is open to everyone")
	every subject in [identity("vic"), identity("stranger"), client(""), {"type": "anonymous", "id": "-"}] {
		decided(request(subject, "GET", "/ping")) == open
	}
}

test_users_must_be_known if {
	decided(request(identity("stranger"), "GET", "/books")) == refusal("the user is not known")
}

test_other_subjects_may_nothing if {
	every type in ["anonymous", "user", "Identity", ""] {
		decided(request({"type": type, "id": "id-anna"}, "GET", "/books")) == refusal("only users and clients may ask")
	}
}

test_routes_and_methods_must_be_known if {
	every route in ["/", "/books/", "/books/7", "/authors", ""] {
		decided(request(identity("anna"), "GET", route)) == refusal("the route is not known")
	}
	every method in ["PATCH", "get", "HEAD", ""] {
		decided(request(identity("anna"), method, "/books")) == refusal("the route does not take this method")
	}
}

test_only_routes_are_asked_about if {
	asked := json.patch(request(identity("anna"), "GET", "/books"), [{
		"op": "replace",
		"path": "/resource/type",
		"value": "page",
	}])
	decided(asked) == refusal("the route is not known")
}

test_an_empty_request_is_refused_with_reasons if {
	decided({}) == {"allow": false, "reasons": {"the route is not known", "only users and clients may ask"}}
}

# Of the data that is pushed: a name that no rule reads would change nothing, and nobody would know.
test_every_method_says_who_may if {
	every route, methods in data.gateway.routes {
		startswith(route, "/")
		every method, who in methods {
			method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
			count(who) > 0
			every name, _ in who {
				name in {"open", "roles", "scope"}
			}
		}
	}
}
