# METADATA
# title: Search
# description: |
#   Who may view, edit and delete the records of a company: the search scenario of OpenID AuthZEN. An owner does
#   everything with a record, also with one of another department; a record is seen inside its department and by every
#   manager, and edited by the managers of its department.
#
#   A search is this decision, evaluated for each candidate: "who may edit record 101?" asks it for every user, "which
#   records may alice view?" for every record, "what may alice do with record 101?" for every action.
# schemas:
#   - input:
#       type: object
#       required: [subject, action, resource]
#       properties:
#         subject:
#           type: object
#           required: [type, id]
#           properties:
#             type: {type: string, description: user}
#             id: {type: string}
#         action:
#           type: object
#           required: [name]
#           properties:
#             name: {type: string, description: "view, edit or delete"}
#         resource:
#           type: object
#           required: [type, id]
#           properties:
#             type: {type: string, description: record}
#             id: {type: string}
package search

# METADATA
# title: Decision
# description: |
#   What an enforcement point acts on, with the reasons that a person may be shown. The candidates of a search lie in
#   the data: users and records by their ids, and the names of the actions.
# entrypoint: true
# custom:
#   verdict: result
#   authzen:
#     evaluation: true
#     candidates:
#       subject: data.search.users
#       resource: data.search.records
#       action: data.search.actions
decision := {"allow": allow, "reasons": reasons}

# METADATA
# title: Allow
# description: The same decision as a bare boolean.
# entrypoint: true
default allow := false

allow if count(permits) > 0

reasons := permits if allow

else := refusals

permits contains "the owner may do everything" if {
	known_action
	record.owner == input.subject.id
	user
}

permits contains "a record is seen in its department" if {
	input.action.name == "view"
	user.department == record.department
}

permits contains "managers see every record" if {
	input.action.name == "view"
	user.role == "manager"
	record
}

permits contains "managers edit the records of their department" if {
	input.action.name == "edit"
	user.role == "manager"
	user.department == record.department
}

refusals contains "the user is not known" if not user

refusals contains "the record is not known" if not record

refusals contains "the action is not known" if not known_action

refusals contains "neither owner, nor manager, nor of the record's department" if {
	input.action.name == "view"
	user
	record
}

refusals contains "neither owner, nor manager of the record's department" if {
	input.action.name == "edit"
	user
	record
}

refusals contains "only the owner deletes a record" if {
	input.action.name == "delete"
	user
	record
}

known_action if input.action.name in data.search.actions

user := data.search.users[input.subject.id] if input.subject.type == "user"

record := data.search.records[input.resource.id] if input.resource.type == "record"
