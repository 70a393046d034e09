package search_test

import data.search

# Users and records of most tests are the tests' own: real ones may come and go.
users := {
	"olga": {"role": "employee", "department": "Sales"},
	"lee": {"role": "employee", "department": "Legal"},
	"max": {"role": "manager", "department": "Legal"},
	"mia": {"role": "manager", "department": "Sales"},
	"tom": {"role": "contractor", "department": "Sales"},
}

# Olga of Sales owns a record of Legal.
records := {"1": {"department": "Legal", "owner": "olga"}}

request(user, action, record) := {
	"subject": {"type": "user", "id": user},
	"action": {"name": action},
	"resource": {"type": "record", "id": record},
}

decided(asked) := decision if {
	decision := search.decision with input as asked with data.search.users as users with data.search.records as records
	decision.allow == search.allow with input as asked with data.search.users as users with data.search.records as records
}

# What a search answers: each candidate that the decision permits.
subjects(action) := {user | some user, _ in users; decided(request(user, action, "1")).allow}

actions(user) := {action |
	some action in ["view", "edit", "delete"]
	decided(request(user, action, "1")).allow
}

test_who_may if {
	subjects("view") == {"olga", "lee", "max", "mia"}
	subjects("edit") == {"olga", "max"}
	subjects("delete") == {"olga"}
}

test_what_each_may if {
	actions("olga") == {"view", "edit", "delete"}
	actions("max") == {"view", "edit"}
	actions("lee") == {"view"}
	actions("mia") == {"view"}
	actions("tom") == set()
}

test_the_reasons_of_a_permit if {
	decided(request("olga", "delete", "1")).reasons == {"the owner may do everything"}
	decided(request("lee", "view", "1")).reasons == {"a record is seen in its department"}
	decided(request("mia", "view", "1")).reasons == {"managers see every record"}
	decided(request("max", "view", "1")).reasons == {"a record is seen in its department", "managers see every record"}
	decided(request("max", "edit", "1")).reasons == {"managers edit the records of their department"}
}

test_the_reasons_of_a_refusal if {
	decided(request("tom", "view", "1")).reasons == {"neither owner, nor manager, nor of the record's department"}
	decided(request("lee", "edit", "1")).reasons == {"neither owner, nor manager of the record's department"}
	decided(request("mia", "edit", "1")).reasons == {"neither owner, nor manager of the record's department"}
	decided(request("max", "delete", "1")).reasons == {"only the owner deletes a record"}
}

test_what_is_not_known_is_refused if {
	decided(request("nobody", "view", "1")) == {"allow": false, "reasons": {"the user is not known"}}
	decided(request("olga", "view", "9")) == {"allow": false, "reasons": {"the record is not known"}}
	decided(request("olga", "share", "1")) == {"allow": false, "reasons": {"the action is not known"}}
}

test_other_types_are_not_known if {
	robot := json.patch(request("olga", "view", "1"), [{"op": "replace", "path": "/subject/type", "value": "robot"}])
	decided(robot) == {"allow": false, "reasons": {"the user is not known"}}
	room := json.patch(request("olga", "view", "1"), [{"op": "replace", "path": "/resource/type", "value": "room"}])
	decided(room) == {"allow": false, "reasons": {"the record is not known"}}
}

test_an_owner_who_left_owns_nothing if {
	left := {"1": {"department": "Legal", "owner": "nobody"}}
	not search.allow with input as request("nobody", "view", "1")
		with data.search.users as users
		with data.search.records as left
}

test_an_empty_request_is_refused_with_reasons if {
	decided({}) == {
		"allow": false,
		"reasons": {"the user is not known", "the record is not known", "the action is not known"},
	}
}

# What follows is about the data that comes with the policy.

found(user, action) := {record |
	some record, _ in data.search.records
	search.allow with input as request(user, action, record)
}

test_an_owner_finds_the_own_records_for_every_action if {
	every user, _ in data.search.users {
		own := {record | some record, about in data.search.records; about.owner == user}
		count(own) >= 3
		found(user, "delete") == own
		every action in ["view", "edit"] {
			own - found(user, action) == set()
		}
	}
}

test_a_manager_finds_every_record_to_view if {
	every user in ["alice", "dan"] {
		found(user, "view") == object.keys(data.search.records)
	}
}

test_a_contractor_finds_the_own_records_and_those_of_the_department if {
	found("felix", "view") == {record |
		some record, about in data.search.records
		"felix" == about.owner
	} | {record |
		some record, about in data.search.records
		about.department == "Accounting"
	}
}

test_every_record_has_an_owner_and_a_department_that_exist if {
	departments := {about.department | some about in data.search.users}
	every about in data.search.records {
		about.department in departments
		data.search.users[about.owner]
	}
}
