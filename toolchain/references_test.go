package main

import (
	"fmt"
	"testing"
)

func inspected(t *testing.T, q *query) inspection {
	t.Helper()
	answer := check(q)
	found, is := answer.Result.(inspection)
	if !is {
		t.Fatal(answer.Problems)
	}
	return found
}

func TestReferencesOfTestsAreThoseThatNothingReplacesAndNoRuleMeets(t *testing.T) {
	policy := "package a\n\nallow if data.roles[input.user]\n"
	tests := `package a_test

import data.a
import data.other

asked := data.shared.x

test_own if a.allow with data.roles as {"u": true}

test_other if not other.decision.allow with data.mocked.deep as 1

test_mocked if data.mocked == {"deep": 1} with data.mocked.deep as 1

test_helper if asked == 1
`
	found := inspected(t, &query{Modules: []source{{"a.rego", policy, 1}, {"a_test.rego", tests, 1}}, Version: 1})
	wanted := "[{[shared x] a_test.rego 6 10} {[other decision allow] a_test.rego 10 19}]"
	if text := fmt.Sprint(found.TestReferences); text != wanted {
		t.Error(text)
	}
}

func TestReferencesThatTheCompilerMovesKeepAPlace(t *testing.T) {
	policy := `package a

allow if {
	some grant in data.b.grants
	grant.user == input.user
}

held := {role | some role in data.c.users[input.user]}

blocked contains user if some user, _ in data.d

default late := false

late if {
	not allow
} else := data.e[input.user][held]
`
	found := inspected(t, &query{Modules: []source{{"a.rego", policy, 1}}, Version: 1})
	wanted := "[{[b grants] a.rego 4 2} {[c users] a.rego 8 17} {[d] a.rego 10 26} {[e] a.rego 16 11}]"
	if text := fmt.Sprint(found.DataReferences); text != wanted {
		t.Error(text)
	}
}

func TestAForgottenImportIsNamed(t *testing.T) {
	answer := check(&query{Version: 1, Modules: []source{
		{"clinic.rego", "package org.clinic\n\nallow := true\n", 1},
		{"door.rego", "package door\n\nopen if clinic.allow\n\nshut if nobody\n", 1},
	}})
	wanted := "[{rego_unsafe_var_error var clinic is unsafe: nothing here has this name; for the package, import " +
		"data.org.clinic door.rego 3 9 open if clinic.allow} {rego_unsafe_var_error var nobody is unsafe door.rego 5 9 shut if nobody}]"
	if text := fmt.Sprint(answer.Problems); text != wanted {
		t.Error(text)
	}
}
