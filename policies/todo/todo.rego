# METADATA
# title: Todo
# description: |
#   Who may do what in a shared todo list: the Todo scenario of OpenID AuthZEN. Everyone reads; admins and editors
#   create; editors look after their own todos; an evil genius updates and an admin deletes those of others.
#
#   The subject's id is opaque: data.todo.users knows the roles and the e-mail address behind it.
package todo

# METADATA
# title: Decision
# description: |
#   What an enforcement point acts on, with the reasons that a person may be shown: all that permitted the request, or
#   all that speaks against it.
# entrypoint: true
# custom:
#   verdict: result
#   authzen:
#     evaluation: true
decision := {"allow": allow, "reasons": reasons}

# METADATA
# title: Allow
# description: The same decision as a bare boolean.
# entrypoint: true
default allow := false

allow if count(permits) > 0

reasons := permits if allow

else := refusals

permits contains "every user may read" if {
	user
	input.action.name in {"can_read_user", "can_read_todos"}
}

permits contains "admins and editors may create todos" if {
	input.action.name == "can_create_todo"
	some role in user.roles
	role in {"admin", "editor"}
}

permits contains "editors may update and delete their own todos" if {
	input.action.name in {"can_update_todo", "can_delete_todo"}
	"editor" in user.roles
	owner == user.email
}

permits contains "an evil genius may update every todo" if {
	input.action.name == "can_update_todo"
	"evil_genius" in user.roles
}

permits contains "an admin may delete every todo" if {
	input.action.name == "can_delete_todo"
	"admin" in user.roles
}

refusals contains "the user is not known" if not user

refusals contains "the action is not known" if not known_action

refusals contains "an editor may change own todos only" if {
	known_action
	"editor" in user.roles
}

refusals contains "no role of the user permits this action" if {
	known_action
	user
	not "editor" in user.roles
}

known_action if {
	input.action.name in {
		"can_read_user",
		"can_read_todos",
		"can_create_todo",
		"can_update_todo",
		"can_delete_todo",
	}
}

# Requests come in two shapes. Since draft 01 of the standard, subject.id is the opaque id and attributes stand in
# properties. Before, subject.id was the e-mail address, and attributes stood beside it: they count only in a request
# whose two names for the subject agree, so that a member which today's standard does not know changes no answer.
older_shape if data.todo.users[input.subject.identity].email == input.subject.id

user := known if known := data.todo.users[input.subject.id]

else := data.todo.users[input.subject.identity] if older_shape

owner := named if named := input.resource.properties.ownerID

else := input.resource.ownerID if older_shape
