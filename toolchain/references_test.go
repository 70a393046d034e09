package main

import (
	"fmt"
	"testing"
)

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
	answer := check(&query{Modules: []source{{"a.rego", policy, 1}, {"a_test.rego", tests, 1}}, Version: 1})
	found, is := answer.Result.(inspection)
	if !is {
		t.Fatal(answer.Problems)
	}
	wanted := "[{[shared x] a_test.rego 6 10} {[other decision allow] a_test.rego 10 19}]"
	if text := fmt.Sprint(found.TestReferences); text != wanted {
		t.Error(text)
	}
}
