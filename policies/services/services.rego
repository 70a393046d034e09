# METADATA
# title: Services
# description: |
#   Which service may call which operation of which other service. The subject is the caller, the action the operation,
#   the resource the service that is called. data.services.operations lists the callers of each operation and their
#   limits: the networks and regions that they may call from, hours, and a last day. The caller shows a token that was
#   made for the called service and has the operation's scope.
#
#   What the context says about the origin (ip, region) must come from whoever enforces the decision, never from the
#   caller. The keys in data.services.keys belong to this sample: put your issuer's there.
# schemas:
#   - input:
#       type: object
#       required: [subject, action, resource]
#       properties:
#         subject:
#           type: object
#           required: [type, id]
#           properties:
#             type: {type: string, description: service}
#             id: {type: string, description: "name of the caller, which its token has as sub"}
#         action:
#           type: object
#           required: [name]
#           properties:
#             name: {type: string, description: name of the operation}
#         resource:
#           type: object
#           required: [type, id]
#           properties:
#             type: {type: string, description: service}
#             id: {type: string, description: "name of the called service, the token's audience"}
#         context:
#           type: object
#           properties:
#             token: {type: string, description: "a signed JWT, without the word Bearer"}
#             ip: {type: string, description: the address that the call came from}
#             region: {type: string}
package services

# METADATA
# title: Decision
# description: |
#   What an enforcement point acts on, with everything that speaks against the call. A permit may be used again for the
#   operation's ttl (seconds, where it has one), and never beyond the token's end.
# entrypoint: true
# custom:
#   verdict: result
#   authzen:
#     evaluation: true
decision := object.union({"allow": allow, "reasons": reasons}, lifetime)

# METADATA
# title: Allow
# description: The same decision as a bare boolean.
# entrypoint: true
default allow := false

# That nothing speaks against a call is not enough: what speaks for it must be there.
allow if {
	grant
	claims
	count(objections) == 0
}

reasons := {"the caller is listed, its token holds, and it calls from where and when it may"} if allow

else := objections

default lifetime := {}

lifetime := {"ttl": operation.ttl} if allow

objections contains "the operation is not known" if not operation

objections contains "the caller may not call this operation" if {
	operation
	not grant
}

objections contains "the token is not valid for this service" if not claims

objections contains "the token speaks for another caller" if {
	claims
	not claims.sub == input.subject.id
}

objections contains "the token lacks the scope of this operation" if {
	claims
	operation
	not in_scope
}

objections contains "the caller may not call from this network" if {
	grant
	not in_network
}

objections contains "the caller may not call from this region" if {
	grant.regions
	not in_region
}

objections contains "the caller may not call at this hour" if {
	grant.hours
	not in_hours
}

objections contains "the caller's permission has ended" if {
	grant.until
	not in_time
}

operation := data.services.operations[input.resource.id][input.action.name] if input.resource.type == "service"

grant := operation.callers[input.subject.id] if input.subject.type == "service"

# Signature, issuer, audience, nbf and exp in one.
claims := payload if {
	[true, _, payload] = io.jwt.decode_verify(input.context.token, {
		"cert": json.marshal({"keys": data.services.keys}),
		"iss": data.services.issuer,
		"aud": input.resource.id,
	})
}

# Each of these has a rule of its own, and what is denied above is its name alone: in "not x in f(y)" the calls and the
# members of the input are looked up before the "not", so that a missing one would raise no objection.
in_scope if operation.scope in split(claims.scope, " ")

in_network if {
	some name in grant.networks
	some block in data.services.networks[name]
	net.cidr_contains(block, input.context.ip)
}

in_region if input.context.region in grant.regions

in_hours if {
	some hours in grant.hours
	now := time.now_ns()
	time.weekday([now, hours.zone]) in hours.days
	[hour, minute, _] := time.clock([now, hours.zone])
	clock := sprintf("%02d:%02d", [hour, minute])
	hours.from <= clock
	clock < hours.to
}

in_time if time.now_ns() < time.parse_rfc3339_ns(grant.until)
