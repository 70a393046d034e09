package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
)

const expenses = `package expenses

default allow := false

allow if {
	is_approver
	input.amount <= limit
	not own
}

allow if input.user.root == true

is_approver if {
	some role in input.user.roles
	role == "approver"
}

limit := data.limits[input.user.grade]

own if input.user.id == input.owner

all_small if {
	every amount in input.amounts { amount < 10 }
}

large := [n | some n in input.amounts; n > 5]

many if count(large) > 3

f(x) := y if {
	x > 2
	y := x * 2
}

twice if f(input.amount) == 4
`

func stepsOf(t *testing.T, text, path, input string) *steps {
	t.Helper()
	term := ast.MustParseTerm(input)
	value, err := appendValue(nil, term.Value, 0)
	if err != nil {
		t.Fatal(err)
	}
	answer := evaluate(&query{
		Modules: []source{{"p.rego", text, 1}}, Version: 1, Query: path, Steps: true, Input: true, input: value,
		data: []byte(`{"limits":{"a":100},"zone":"Nowhere/X","people":{"bob":{"email":"bob"}}}`),
	})
	result, is := answer.Result.(evaluation)
	if !is {
		t.Fatal(answer.Problems, answer.Crash)
	}
	return result.steps
}

// told writes steps one a line, indented.
func told(list []*step, indent string) string {
	text := ""
	for _, one := range list {
		text += indent
		if one.Rule != "" {
			text += fmt.Sprintf("%s:%d %v", one.Rule, one.Row, one.Held)
		} else {
			text += fmt.Sprintf("! %s:%d", one.Text, one.Row)
		}
		for _, v := range one.Values {
			text += fmt.Sprintf(" [%s = %s]", v.Name, v.Value)
		}
		if one.Error != "" {
			text += " <" + one.Error + ">"
		}
		if one.More > 0 {
			text += fmt.Sprintf(" +%d", one.More)
		}
		text += "\n" + told(one.Steps, indent+"  ")
	}
	return text
}

func TestStepsSayWhatStoppedEachRule(t *testing.T) {
	for _, each := range []struct{ path, input, wanted string }{
		{"data.expenses.allow", `{"user": {"id": "bob", "roles": ["clerk"]}}`, `
data.expenses.allow:5 false
  data.expenses.is_approver:13 false
    ! role == "approver":15 [role = "clerk"]
  ! is_approver:6
data.expenses.allow:11 false
  ! input.user.root == true:11 [input.user.root = undefined]
data.expenses.allow:3 true
`},
		{"data.expenses.allow", `{"user": {"id": "bob", "roles": ["clerk", "approver"], "grade": "a"}, "amount": 120, "owner": "al"}`, `
data.expenses.allow:5 false
  data.expenses.is_approver:13 true
  data.expenses.limit:18 true
  ! input.amount <= limit:7 [input.amount = 120] [data.expenses.limit = 100]
data.expenses.allow:11 false
  ! input.user.root == true:11 [input.user.root = undefined]
data.expenses.allow:3 true
`},
		{"data.expenses.allow", `{"user": {"id": "bob", "roles": ["clerk", "approver"], "grade": "b"}, "amount": 120, "owner": "al"}`, `
data.expenses.allow:5 false
  data.expenses.is_approver:13 true
  data.expenses.limit:18 false
    ! data.limits[input.user.grade] is undefined:18
  ! data.expenses.limit is undefined:7
data.expenses.allow:11 false
  ! input.user.root == true:11 [input.user.root = undefined]
data.expenses.allow:3 true
`},
		{"data.expenses.allow", `{"user": {"id": "bob", "roles": ["clerk", "approver"], "grade": "a"}, "amount": 20, "owner": "bob"}`, `
data.expenses.allow:5 false
  data.expenses.is_approver:13 true
  data.expenses.limit:18 true
  data.expenses.own:20 true
  ! not own:8
data.expenses.allow:11 false
  ! input.user.root == true:11 [input.user.root = undefined]
data.expenses.allow:3 true
`},
		{"data.expenses.allow", `{"user": {"id": "bob", "roles": ["clerk", "approver"], "grade": "a"}, "amount": 20, "owner": "al"}`, `
data.expenses.allow:5 true
  data.expenses.is_approver:13 true
  data.expenses.limit:18 true
  data.expenses.own:20 false
    ! input.user.id == input.owner:20 [input.user.id = "bob"] [input.owner = "al"]
`},
		{"data.expenses.all_small", `{"amounts": [1, 20]}`, `
data.expenses.all_small:22 false
  ! amount < 10:23 [amount = 20]
  ! every amount in input.amounts { amount < 10 }:23
`},
		{"data.expenses.many", `{"amounts": [1, 20]}`, `
data.expenses.many:28 false
  data.expenses.large:26 true
  ! count(large) > 3:28 [count(data.expenses.large) = 1]
`},
		{"data.expenses.twice", `{"amount": 1}`, `
data.expenses.twice:35 false
  data.expenses.f:30 false
    ! x > 2:31 [x = 1]
  ! f(input.amount):35 [input.amount = 1]
`},
		{"data.expenses.twice", `{"amount": 10}`, `
data.expenses.twice:35 false
  data.expenses.f:30 true
  ! f(input.amount) == 4:35 [data.expenses.f(input.amount) = 20]
`},
	} {
		found := told(stepsOf(t, expenses, each.path, each.input).Steps, "")
		if found != strings.TrimPrefix(each.wanted, "\n") {
			t.Errorf("%s of %s:\n%s", each.path, each.input, found)
		}
	}
}

const owners = `package todo

late if time.clock([1, data.zone])[0] > 18

zones contains zone if {
	some zone in ["Nowhere/A", "UTC", "Nowhere/B"]
	time.clock([1, zone])[0] > 18
}

user := known if known := data.people[input.email]

owner := input.owner

mine if owner == user.email

shared if owner == user.name

other if owner == user.email with input.owner as "eve"

kept if {
	not mine
	other
}
`

func TestStepsHaveTheValuesOfRulesOnBothSides(t *testing.T) {
	for _, each := range []struct{ path, wanted string }{
		{"data.todo.mine", `
data.todo.mine:14 false
  data.todo.owner:12 true
  data.todo.user:10 true
  ! owner == user.email:14 [data.todo.owner = "al"] [data.todo.user.email = "bob"]
`},
		{"data.todo.shared", `
data.todo.shared:16 false
  data.todo.owner:12 true
  data.todo.user:10 true
  ! owner == user.name:16 [data.todo.owner = "al"] [data.todo.user.name = undefined]
`},
		// What a replacement makes of a rule counts there alone.
		{"data.todo.kept", `
data.todo.kept:20 false
  data.todo.mine:14 false
    data.todo.owner:12 true
    data.todo.user:10 true
    ! owner == user.email:14 [data.todo.owner = "al"] [data.todo.user.email = "bob"]
  data.todo.other:18 false
    data.todo.owner:12 true
    data.todo.user:10 true
    ! owner == user.email with input.owner as "eve":18 [data.todo.owner = "eve"] [data.todo.user.email = "bob"] [input.owner = "eve"]
  ! other:22
`},
	} {
		found := told(stepsOf(t, owners, each.path, `{"owner": "al", "email": "bob"}`).Steps, "")
		if found != strings.TrimPrefix(each.wanted, "\n") {
			t.Errorf("%s:\n%s", each.path, found)
		}
	}
}

func TestStepsHaveTheErrorsOfBuiltins(t *testing.T) {
	for path, wanted := range map[string]string{
		"data.todo.late": `
data.todo.late:3 false
  ! time.clock([1, data.zone]):3 [data.zone = "Nowhere/X"] <time.clock: unknown time zone Nowhere/X>
`,
		"data.todo.zones": `
data.todo.zones:5 false
  ! time.clock([1, zone]):7 [zone = "Nowhere/A"] <time.clock: unknown time zone Nowhere/A>
  ! time.clock([1, zone])[0] > 18:7 [time.clock([1, zone])[0] = 0]
  ! time.clock([1, zone]):7 [zone = "Nowhere/B"] <time.clock: unknown time zone Nowhere/B>
`,
	} {
		found := told(stepsOf(t, owners, path, `{}`).Steps, "")
		if found != strings.TrimPrefix(wanted, "\n") {
			t.Errorf("%s:\n%s", path, found)
		}
	}
}

func TestOfManyDefinitionsThoseThatGotFarthestAreShown(t *testing.T) {
	text := "package p\n"
	for at := range 500 {
		text += fmt.Sprintf("allow if { input.a == %d; input.b == 1 }\n", at)
	}
	found := stepsOf(t, text, "data.p.allow", `{"a": 321, "b": 2}`)
	if len(found.Steps) != mostSiblings || found.Steps[0].Row == 0 {
		t.Fatal(told(found.Steps, ""))
	}
	text = told(found.Steps, "")
	if !strings.Contains(text, "! input.b == 1:323 [input.b = 2]") && !strings.Contains(text, "! input.b == 1:323") {
		t.Fatal(text)
	}
	if !strings.Contains(text, fmt.Sprintf("+%d", 500-mostSiblings)) {
		t.Fatal(text)
	}
}
