package main

import (
	"strings"
	"testing"
)

const tested = `package exp_test

import data.exp

test_bare if exp.decision.allow with input as {"amount": 500}

test_compared if exp.decision == {"allow": true, "reasons": set()} with input as {"amount": 500}

test_counted if {
	n := 0
	count(exp.decision.reasons) == n with input as {"amount": 500}
}

test_negated if not exp.decision.reasons with input as {"amount": 500}

test_missing if exp.decisoin.allow with input as {"amount": 500}

test_local if {
	answer := exp.decision with input as {"amount": 500}
	answer.allow
}

test_every if {
	every each in [{"amount": 5, "allow": true}, {"amount": 500, "allow": true}] {
		exp.decision.allow == each.allow with input as {"amount": each.amount}
	}
}

test_data if data.limits.a == 3

test_cases[name] if {
	some name, amount in {"few": 5, "many": 500}
	exp.decision.allow with input as {"amount": amount}
}
`

const exp = `package exp

decision := {"allow": count(reasons) == 0, "reasons": reasons}

reasons contains "too much" if input.amount > data.limits.a
`

const wanted = `
test_bare not true at exp_test.rego:5:14: test_bare if exp.decision.allow with input as {"amount": 500}
  data.exp.decision.allow = false
  data.exp.decision = {"allow": false, "reasons": {"too much"}}
test_compared not true at exp_test.rego:7:18: test_compared if exp.decision == {"allow": true, "reasons": set()} with input as {"amount": 500}
  data.exp.decision = {"allow": false, "reasons": {"too much"}}
test_counted not true at exp_test.rego:11:2: count(exp.decision.reasons) == n with input as {"amount": 500}
  count(data.exp.decision.reasons) = 1
  n = 0
  data.exp.decision.reasons = {"too much"}
  data.exp.decision = {"allow": false, "reasons": {"too much"}}
test_negated not true at exp_test.rego:14:17: test_negated if not exp.decision.reasons with input as {"amount": 500}
  data.exp.decision.reasons = {"too much"}
  data.exp.decision = {"allow": false, "reasons": {"too much"}}
test_missing not true at exp_test.rego:16:17: test_missing if exp.decisoin.allow with input as {"amount": 500}
  data.exp.decisoin.allow = undefined
test_local not true at exp_test.rego:20:2: answer.allow
  answer = {"allow": false, "reasons": {"too much"}}
test_every not true at exp_test.rego:25:3: exp.decision.allow == each.allow with input as {"amount": each.amount}
  data.exp.decision.allow = false
  data.exp.decision = {"allow": false, "reasons": {"too much"}}
  each = {"allow": true, "amount": 500}
  input = {"amount": 500}
test_data not true at exp_test.rego:29:14: test_data if data.limits.a == 3
  data.limits.a = 100
test_cases failed cases: many; one of them is not true at exp_test.rego:33:2: exp.decision.allow with input as {"amount": amount}
  data.exp.decision.allow = false
  data.exp.decision = {"allow": false, "reasons": {"too much"}}
  name = "many"
  amount = 500
`

func TestAFailedTestSaysWhatItsReferencesStoodFor(t *testing.T) {
	answer := runTests(&query{
		Modules: []source{{"exp.rego", exp, 1}, {"exp_test.rego", tested, 1}}, Version: 1,
		data: []byte(`{"limits":{"a":100}}`),
	})
	report, is := answer.Result.(testReport)
	if !is {
		t.Fatal(answer.Problems, answer.Crash)
	}
	found := ""
	for _, result := range report.Results {
		found += result.Name + " " + result.Message + "\n"
		for _, value := range result.Values {
			found += "  " + value.Name + " = " + value.Value + "\n"
		}
	}
	if found != strings.TrimPrefix(wanted, "\n") {
		t.Error(found)
	}
}
