# METADATA
# title: Gateway
# description: |
#   Which requests an API gateway lets through: the gateway scenario of OpenID AuthZEN. The resource is a route, named by
#   its template, and the action is the HTTP method. data.gateway.routes says for each method who may: users by their
#   roles, clients by the scope of their token, or everyone.
#
#   A user's roles are known here (data.gateway.users). A client's scope is what its token says: the gateway has
#   verified that token, and hands on its claims as subject.properties. An exp among them ends a remembered answer.
# schemas:
#   - input:
#       type: object
#       required: [subject, action, resource]
#       properties:
#         subject:
#           type: object
#           required: [type, id]
#           properties:
#             type: {type: string, description: "identity (a user), client, or anything else for nobody in particular"}
#             id: {type: string}
#             properties:
#               type: object
#               properties:
#                 scope: {type: string, description: "scopes with spaces between them"}
#                 exp: {type: number, description: "seconds since 1970"}
#         action:
#           type: object
#           required: [name]
#           properties:
#             name: {type: string, description: "the HTTP method, in capitals"}
#         resource:
#           type: object
#           required: [type, id]
#           properties:
#             type: {type: string, description: "route"}
#             id: {type: string, description: "the template, such as /todos/{todoId}"}
package gateway

# METADATA
# title: Decision
# description: What the gateway acts on, with the reasons that a person may be shown.
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

permits contains "the route is open to everyone" if method.open == true

permits contains "a role of the user permits this method" if {
	some role in user.roles
	role in method.roles
}

permits contains "the scope of the token permits this method" if {
	is_client
	some scope in split(input.subject.properties.scope, " ")
	scope == method.scope
}

refusals contains "the route is not known" if not route

refusals contains "the route does not take this method" if {
	route
	not method
}

refusals contains "the user is not known" if {
	is_user
	not user
}

refusals contains "no role of the user permits this method" if {
	user
	method
}

refusals contains "the scope of the token does not permit this method" if {
	is_client
	method
}

refusals contains "only users and clients may ask" if {
	not is_user
	not is_client
}

route := data.gateway.routes[input.resource.id] if input.resource.type == "route"

method := route[input.action.name]

is_user if input.subject.type == "identity"

is_client if input.subject.type == "client"

user := data.gateway.users[input.subject.id] if is_user
