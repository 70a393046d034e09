package todo_test

import data.todo

# The users of these tests are the tests' own: real ones may come and go.
users := {
	"id-rick": {"email": "rick@example.com", "roles": ["admin", "evil_genius"]},
	"id-morty": {"email": "morty@example.com", "roles": ["editor"]},
	"id-beth": {"email": "beth@example.com", "roles": ["viewer"]},
}

request(name, action, owner) := {
	"subject": {"type": "user", "id": concat("", ["id-", name])},
	"action": {"name": action},
	"resource": {"type": "todo", "id": "7", "properties": {"ownerID": owner}},
}

older(name, action, owner) := {
	"subject": {
		"type": "user",
		"id": concat("", [name, "@example.com"]),
		"identity": concat("", ["id-", name]),
	},
	"action": {"name": action},
	"resource": {"type": "todo", "id": "7", "ownerID": owner},
}

may(name, action, owner) if {
	todo.allow with input as request(name, action, owner) with data.todo.users as users
	todo.allow with input as older(name, action, owner) with data.todo.users as users
}

may_not(name, action, owner) if {
	not todo.allow with input as request(name, action, owner) with data.todo.users as users
	not todo.allow with input as older(name, action, owner) with data.todo.users as users
}

test_everyone_reads if {
	every name in ["rick", "morty", "beth"] {
		may(name, "can_read_user", "anyone")
		may(name, "can_read_todos", "anyone")
	}
}

test_admins_and_editors_create if {
	may("rick", "can_create_todo", "anyone")
	may("morty", "can_create_todo", "anyone")
	may_not("beth", "can_create_todo", "anyone")
}

test_an_evil_genius_updates_every_todo if {
	may("rick", "can_update_todo", "rick@example.com")
	may("rick", "can_update_todo", "morty@example.com")
}

test_an_admin_deletes_every_todo if {
	may("rick", "can_delete_todo", "rick@example.com")
	may("rick", "can_delete_todo", "morty@example.com")
}

test_an_admin_who_is_no_evil_genius_updates_nothing if {
	admin := {"id-anna": {"email": "anna@example.com", "roles": ["admin"]}}
	not todo.allow with input as request("anna", "can_update_todo", "anna@example.com") with data.todo.users as admin
	todo.allow with input as request("anna", "can_delete_todo", "morty@example.com") with data.todo.users as admin
}

test_editors_change_their_own_todos_only if {
	every action in ["can_update_todo", "can_delete_todo"] {
		may("morty", action, "morty@example.com")
		may_not("morty", action, "rick@example.com")
	}
}

test_viewers_change_nothing if {
	every action in ["can_update_todo", "can_delete_todo"] {
		may_not("beth", action, "beth@example.com")
	}
}

test_unknown_users_may_nothing if {
	every action in ["can_read_user", "can_read_todos", "can_create_todo", "can_update_todo", "can_delete_todo"] {
		may_not("nobody", action, "nobody@example.com")
	}
}

test_unknown_actions_are_refused if may_not("rick", "can_rule_the_world", "rick@example.com")

test_an_empty_request_is_refused_with_reasons if {
	decision := todo.decision with input as {} with data.todo.users as users
	decision == {"allow": false, "reasons": {"the user is not known", "the action is not known"}}
}

test_an_owner_that_is_missing_is_nobody if {
	asked := json.remove(request("morty", "can_update_todo", "x"), ["resource/properties"])
	not todo.allow with input as asked with data.todo.users as users
}

test_an_identity_that_contradicts_the_id_is_ignored if {
	stranger := json.patch(older("rick", "can_read_todos", "x"), [{
		"op": "replace",
		"path": "/subject/id",
		"value": "morty@example.com",
	}])
	not todo.allow with input as stranger with data.todo.users as users

	known := json.patch(request("beth", "can_create_todo", "x"), [{
		"op": "add",
		"path": "/subject/identity",
		"value": "id-rick",
	}])
	not todo.allow with input as known with data.todo.users as users
}

test_an_owner_beside_the_id_counts_in_the_older_shape_only if {
	asked := json.patch(older("morty", "can_update_todo", "morty@example.com"), [
		{"op": "replace", "path": "/subject/id", "value": "id-morty"},
		{"op": "remove", "path": "/subject/identity"},
	])
	not todo.allow with input as asked with data.todo.users as users
}

test_a_permit_says_why if {
	decision := todo.decision with input as request("rick", "can_delete_todo", "x") with data.todo.users as users
	decision == {"allow": true, "reasons": {"an admin may delete every todo"}}
}

test_a_refusal_says_why if {
	viewer := todo.decision with input as request("beth", "can_create_todo", "x") with data.todo.users as users
	viewer == {"allow": false, "reasons": {"no role of the user permits this action"}}

	editor := todo.decision with input as request("morty", "can_delete_todo", "x") with data.todo.users as users
	editor == {"allow": false, "reasons": {"an editor may change own todos only"}}
}
